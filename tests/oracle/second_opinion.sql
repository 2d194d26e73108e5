-- The contract's sums in SQL (SQLite), over tables of accepted events and of credits found by brute force.
-- Instants are epoch milliseconds; the business day is Shanghai's, which has been UTC+8 all year since 1992.
CREATE TABLE touches (event_id, occurred_at, customer_id, tier, campaign_id, variant, cost_minor, creditable);
CREATE TABLE costs (occurred_at, campaign_id, variant, amount_minor);
CREATE TABLE logins (customer_id, tier, day, engaged);
CREATE TABLE credits (
    transaction_event_id, touch_event_id, campaign_id, variant, tier, customer_id, credit_millionths, return_minor,
    aum_minor, touched_at, converted_at
);

CREATE VIEW movements AS  -- every number that adds up, at its campaign, group, minute and cohort
SELECT campaign_id, variant, tier, occurred_at AS at, occurred_at AS touched_at,
       creditable AS touches, 0 AS conversion_millionths, cost_minor, 0 AS return_minor, 0 AS aum_minor
FROM touches
UNION ALL
SELECT campaign_id, variant, '', occurred_at, occurred_at, 0, 0, amount_minor, 0, 0 FROM costs
UNION ALL
SELECT campaign_id, variant, tier, converted_at, touched_at, 0, credit_millionths, 0, return_minor, aum_minor
FROM credits;

CREATE VIEW campaign_tier_totals AS
SELECT campaign_id, tier, sum(touches) AS touches, sum(conversion_millionths) AS conversion_millionths,
       sum(cost_minor) AS cost_minor, sum(return_minor) AS return_minor, sum(aum_minor) AS aum_minor,
       (SELECT count(DISTINCT customer_id) FROM touches AS t
        WHERE t.campaign_id = m.campaign_id AND t.tier = m.tier AND creditable) AS reached,
       (SELECT count(DISTINCT customer_id) FROM credits AS c
        WHERE c.campaign_id = m.campaign_id AND c.tier = m.tier) AS converters
FROM movements AS m GROUP BY campaign_id, tier;

CREATE VIEW campaign_variant_totals AS
SELECT campaign_id, variant, sum(touches) AS touches, sum(conversion_millionths) AS conversion_millionths,
       sum(cost_minor) AS cost_minor, sum(return_minor) AS return_minor, sum(aum_minor) AS aum_minor,
       (SELECT count(DISTINCT customer_id) FROM touches AS t
        WHERE t.campaign_id = m.campaign_id AND t.variant = m.variant AND creditable) AS reached,
       (SELECT count(DISTINCT customer_id) FROM credits AS c
        WHERE c.campaign_id = m.campaign_id AND c.variant = m.variant) AS converters
FROM movements AS m GROUP BY campaign_id, variant;

CREATE VIEW campaign_totals AS  -- over tiers everything adds up, customers too: each has one tier
SELECT campaign_id, sum(touches) AS touches, sum(conversion_millionths) AS conversion_millionths,
       sum(cost_minor) AS cost_minor, sum(return_minor) AS return_minor, sum(aum_minor) AS aum_minor,
       sum(reached) AS reached, sum(converters) AS converters
FROM campaign_tier_totals GROUP BY campaign_id;

CREATE VIEW firsts AS  -- when a campaign first reached and first converted a customer
SELECT campaign_id, customer_id, min(occurred_at) AS reached_at, NULL AS converted_at
FROM touches WHERE creditable GROUP BY campaign_id, customer_id
UNION ALL
SELECT campaign_id, customer_id, NULL, min(converted_at) FROM credits GROUP BY campaign_id, customer_id;

CREATE VIEW campaign_minutes AS
SELECT campaign_id, at / 60000 AS minute, sum(touches) AS touches, sum(conversion_millionths) AS conversion_millionths,
       sum(cost_minor) AS cost_minor, sum(return_minor) AS return_minor, sum(aum_minor) AS aum_minor,
       (SELECT count(*) FROM firsts AS f
        WHERE f.campaign_id = m.campaign_id AND f.reached_at / 60000 = m.at / 60000) AS new_reached,
       (SELECT count(*) FROM firsts AS f
        WHERE f.campaign_id = m.campaign_id AND f.converted_at / 60000 = m.at / 60000) AS new_converters
FROM movements AS m GROUP BY campaign_id, at / 60000;

CREATE VIEW campaign_hours AS  -- Shanghai's clock shows full hours when that of UTC does
SELECT campaign_id, at / 3600000 * 3600 AS hour, sum(touches) AS touches,
       sum(conversion_millionths) AS conversion_millionths, sum(cost_minor) AS cost_minor,
       sum(return_minor) AS return_minor, sum(aum_minor) AS aum_minor,
       (SELECT count(*) FROM firsts AS f
        WHERE f.campaign_id = m.campaign_id AND f.reached_at / 3600000 = m.at / 3600000) AS new_reached,
       (SELECT count(*) FROM firsts AS f
        WHERE f.campaign_id = m.campaign_id AND f.converted_at / 3600000 = m.at / 3600000) AS new_converters
FROM movements AS m GROUP BY campaign_id, at / 3600000;

CREATE VIEW campaign_days AS
SELECT campaign_id, date(at / 1000, 'unixepoch', '+8 hours') AS day, sum(touches) AS touches,
       sum(conversion_millionths) AS conversion_millionths, sum(cost_minor) AS cost_minor,
       sum(return_minor) AS return_minor, sum(aum_minor) AS aum_minor,
       (SELECT count(*) FROM firsts AS f
        WHERE f.campaign_id = m.campaign_id
          AND date(f.reached_at / 1000, 'unixepoch', '+8 hours') = date(m.at / 1000, 'unixepoch', '+8 hours')) AS new_reached,
       (SELECT count(*) FROM firsts AS f
        WHERE f.campaign_id = m.campaign_id
          AND date(f.converted_at / 1000, 'unixepoch', '+8 hours') = date(m.at / 1000, 'unixepoch', '+8 hours')) AS new_converters
FROM movements AS m GROUP BY campaign_id, day;

CREATE VIEW cohort_movements AS
SELECT campaign_id, date(touched_at / 1000, 'unixepoch', '+8 hours') AS touch_day,
       (at - touched_at) / 86400000 AS lag_day, conversion_millionths, return_minor, cost_minor, 0 AS reached
FROM movements
UNION ALL
SELECT campaign_id, date(reached_at / 1000, 'unixepoch', '+8 hours'), 0, 0, 0, 0, 1
FROM firsts WHERE reached_at IS NOT NULL;

CREATE VIEW campaign_cohorts AS
SELECT campaign_id, touch_day, lag_day, sum(conversion_millionths) AS conversion_millionths,
       sum(return_minor) AS return_minor, sum(cost_minor) AS cost_minor, sum(reached) AS reached
FROM cohort_movements GROUP BY campaign_id, touch_day, lag_day;

CREATE VIEW groups_of_customers AS
SELECT DISTINCT customer_id, tier FROM logins UNION SELECT DISTINCT customer_id, '' FROM logins;

CREATE VIEW days AS
WITH RECURSIVE every(day) AS (
    SELECT min(day) FROM logins WHERE day IS NOT NULL HAVING count(*) > 0
    UNION ALL SELECT day + 1 FROM every WHERE day < (SELECT max(day) FROM logins)
)
SELECT day FROM every;

CREATE VIEW customer_days AS  -- every customer on every day: days since the last engaged and the last gross day
SELECT g.tier, g.customer_id, d.day,
       d.day - (SELECT max(day) FROM logins AS l WHERE l.customer_id = g.customer_id AND l.day <= d.day) AS gross_age,
       d.day - (SELECT max(day) FROM logins AS l
                WHERE l.customer_id = g.customer_id AND l.day <= d.day AND engaged) AS engaged_age,
       d.day - (SELECT max(day) FROM logins AS l
                WHERE l.customer_id = g.customer_id AND l.day < d.day AND engaged) AS earlier_engaged_age
FROM days AS d CROSS JOIN groups_of_customers AS g;

CREATE VIEW active_users AS
SELECT date((day - 719163) * 86400, 'unixepoch') AS day, tier,  -- 719163 is the ordinal of 1970-01-01
       sum(coalesce(engaged_age = 0, 0)) AS dau,
       sum(coalesce(engaged_age BETWEEN 0 AND 6, 0)) AS wau,
       sum(coalesce(engaged_age BETWEEN 0 AND 29, 0)) AS mau,
       sum(coalesce(gross_age BETWEEN 0 AND 29, 0)) AS mau_gross,
       sum(coalesce(engaged_age = 0 AND earlier_engaged_age > 90, 0)) AS reactivated
FROM customer_days GROUP BY day, tier;
