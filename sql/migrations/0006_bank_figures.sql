-- The bank's figures by business month, quarter and year (the assessment cycle), counted from the ledger's facts.
--
-- Columns every view below shares
--   period_kind, period_start  'month' | 'quarter' | 'year' and its first business day (the zone is the run's, `runs.zone`)
--   campaign_id                '' is the whole bank: customers in two campaigns count once there, so it is no sum of the rows
-- A transaction counts with what reversals have left of it, and not at all when they have left nothing; a reversal is no
-- transaction. A ratio whose denominator is 0 is null. Money is in minor units. Days outside 1970-01-01..2149-06-06 stand
-- under the nearest of these two. Credit is that of the deciding attribution model, dated to the transaction (event view).

-- The zone of a run's business days: part of its fingerprint, so it never changes while a ledger is continued.
ALTER TABLE {database}.runs ADD COLUMN IF NOT EXISTS zone String DEFAULT 'Asia/Shanghai';

-- Which channels are counters. Everything not listed is online; insert (channel, class) to say otherwise, the last word counts.
CREATE TABLE IF NOT EXISTS {database}.channel_classes
(
    channel String,
    class   Enum8('online' = 1, 'counter' = 2)
)
ENGINE = ReplacingMergeTree
ORDER BY channel;

INSERT INTO {database}.channel_classes (channel, class)
VALUES ('counter', 'counter'), ('branch', 'counter'), ('teller', 'counter'), ('atm', 'counter');

-- Which value tiers are high. A tier not listed is not; insert (tier, high_value) to say otherwise, the last word counts.
CREATE TABLE IF NOT EXISTS {database}.value_tiers
(
    tier       String,
    high_value Bool
)
ENGINE = ReplacingMergeTree
ORDER BY tier;

INSERT INTO {database}.value_tiers (tier, high_value) VALUES ('growth', true), ('a', true);

-- Facts with their business day. `counts` is 0 for a transaction that reversals have left nothing of.
-- formatDateTime is the function that takes the zone from a column (since ClickHouse 23.9).

CREATE OR REPLACE VIEW {database}.transaction_days AS
SELECT
    original.run AS run,
    original.shard AS shard,
    original.id AS transaction_event_id,
    original.customer AS customer,
    original.category AS kind,
    original.channel AS channel,
    if(original.channel IN (SELECT channel FROM {database}.channel_classes FINAL WHERE class = 'counter'),
       'counter', 'online') AS channel_class,
    original.scenario AS scenario,
    bitTest(original.flags, 4) AS cross_bank,
    if(reversed.reversed, reversed.left_minor, original.measures[1]) AS effective_minor,
    NOT (reversed.reversed AND reversed.left_minor = 0) AS counts,
    toDate(formatDateTime(fromUnixTimestamp64Milli(original.at, 'UTC'), '%F', zones.zone)) AS day
FROM (
    SELECT run, shard, id, at, customer, category, channel, scenario, flags, measures
    FROM {database}.ledger FINAL
    WHERE kind = 'transaction' AND other_id = ''
) AS original
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON original.run = zones.run
LEFT JOIN (
    SELECT run, shard, id, measures[1] AS left_minor, 1 AS reversed
    FROM {database}.ledger FINAL
    WHERE kind = 'adjustment'
) AS reversed ON original.run = reversed.run AND original.shard = reversed.shard AND original.id = reversed.id;

CREATE OR REPLACE VIEW {database}.touch_days AS
SELECT
    touch.run AS run,
    touch.shard AS shard,
    touch.id AS touch_event_id,
    touch.customer AS customer,
    touch.campaign_id AS campaign_id,
    touch.category AS kind,
    if(touch.channel IN (SELECT channel FROM {database}.channel_classes FINAL WHERE class = 'counter'),
       'counter', 'online') AS channel_class,
    bitTest(touch.flags, 0) AS automated,
    bitTest(touch.flags, 1) AS recommended,
    bitTest(touch.flags, 2) AS creditable,
    touch.measures[1] AS touch_cost_minor,
    toDate(formatDateTime(fromUnixTimestamp64Milli(touch.at, 'UTC'), '%F', zones.zone)) AS day
FROM (
    SELECT run, shard, id, at, customer, campaign_id, category, channel, flags, measures
    FROM {database}.ledger FINAL
    WHERE kind = 'touch'
) AS touch
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON touch.run = zones.run;

CREATE OR REPLACE VIEW {database}.credit_days AS
SELECT
    credit.run AS run,
    credit.shard AS shard,
    credit.id AS transaction_event_id,
    credit.other_id AS touch_event_id,
    credit.customer AS customer,
    credit.campaign_id AS campaign_id,
    credit.tier AS tier,
    credit.measures[3] AS credited_aum_minor,
    toDate(formatDateTime(fromUnixTimestamp64Milli(credit.at, 'UTC'), '%F', zones.zone)) AS day
FROM (
    SELECT run, shard, id, other_id, at, customer, campaign_id, tier, measures
    FROM {database}.ledger FINAL
    WHERE kind = 'credit' AND model = '' AND measures[1] != 0
) AS credit
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON credit.run = zones.run;

-- Cost(c) by business day: touches and cost events at their own time, from the minute cells.
CREATE OR REPLACE VIEW {database}.cost_days AS
SELECT
    spent.run AS run,
    spent.campaign_id AS campaign_id,
    toDate(formatDateTime(fromUnixTimestamp64Milli(spent.at * 60000, 'UTC'), '%F', zones.zone)) AS day,
    sum(spent.minute_cost_minor) AS day_cost_minor
FROM (
    SELECT run, campaign_id, at, measures[5] AS minute_cost_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'minute' AND model = '' AND measures[5] != 0
) AS spent
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON spent.run = zones.run
GROUP BY run, campaign_id, day;

-- Days on which a customer is seen: a login, a touch (whatever its kind and variant) or a transaction (reversed or not).
-- engaged: an engaged login that day; online: a transaction that counts, through an online channel, that day.
CREATE OR REPLACE VIEW {database}.customer_days AS
SELECT run, customer, day, max(is_engaged) AS engaged, max(is_online) AS online
FROM (
    SELECT run, id AS customer, toDate(toInt32(greatest(0, least(at, 65535)))) AS day,
           bitTest(flags, 3) AS is_engaged, 0 AS is_online
    FROM {database}.ledger FINAL
    WHERE kind = 'login'
    UNION ALL
    SELECT run, customer, day, 0, counts AND channel_class = 'online' FROM {database}.transaction_days
    UNION ALL
    SELECT run, customer, day, 0, 0 FROM {database}.touch_days
)
GROUP BY run, customer, day;

-- channel_mix: transactions by channel.
--   transaction_share = transactions of the channel / all transactions of the period (ratio)
--   amount_share      = their effective amount / effective amount of all (ratio)
--   source: transactions; channel_class from `channel_classes`
CREATE OR REPLACE VIEW {database}.channel_mix AS
SELECT
    run, period_kind, period_start, channel, channel_class, transactions, amount_minor,
    transactions / sum(transactions) OVER (PARTITION BY run, period_kind, period_start) AS transaction_share,
    if(sum(amount_minor) OVER (PARTITION BY run, period_kind, period_start) = 0, NULL,
       amount_minor / sum(amount_minor) OVER (PARTITION BY run, period_kind, period_start)) AS amount_share
FROM (
    SELECT
        run, period.1 AS period_kind, period.2 AS period_start, channel, channel_class,
        count() AS transactions, sum(effective_minor) AS amount_minor
    FROM {database}.transaction_days
    ARRAY JOIN [('month', toStartOfMonth(day)), ('quarter', toStartOfQuarter(day)), ('year', toStartOfYear(day))] AS period
    WHERE counts
    GROUP BY run, period_kind, period_start, channel, channel_class
);

-- transaction_figures: what the bank's transactions say, campaigns or not. Source: transactions.
--   online_transactions, online_amount_minor   those through online channels (count, minor units)
--   online_share                = online_transactions / transactions (ratio)
--   online_amount_share         = online_amount_minor / amount_minor (ratio)
--   cross_bank_share            = payments and transfers with cross_bank / payments and transfers (ratio)
--   cross_bank_amount_share     = their effective amount / that of payments and transfers (ratio)
--   wealth_online_share         = wealth_purchase through online channels / wealth_purchase (ratio)
--   wealth_online_amount_share  = their effective amount / that of wealth_purchase (ratio)
--   scenario_share              = transactions with a scenario / transactions (ratio)
CREATE OR REPLACE VIEW {database}.transaction_figures AS
SELECT
    run, period.1 AS period_kind, period.2 AS period_start,
    count() AS transactions,
    sum(effective_minor) AS amount_minor,
    countIf(channel_class = 'online') AS online_transactions,
    sumIf(effective_minor, channel_class = 'online') AS online_amount_minor,
    online_transactions / transactions AS online_share,
    if(amount_minor = 0, NULL, online_amount_minor / amount_minor) AS online_amount_share,
    countIf(kind IN ('payment', 'transfer')) AS payments,
    sumIf(effective_minor, kind IN ('payment', 'transfer')) AS payments_amount_minor,
    countIf(kind IN ('payment', 'transfer') AND cross_bank) AS cross_bank_payments,
    sumIf(effective_minor, kind IN ('payment', 'transfer') AND cross_bank) AS cross_bank_amount_minor,
    if(payments = 0, NULL, cross_bank_payments / payments) AS cross_bank_share,
    if(payments_amount_minor = 0, NULL, cross_bank_amount_minor / payments_amount_minor) AS cross_bank_amount_share,
    countIf(kind = 'wealth_purchase') AS wealth_purchases,
    sumIf(effective_minor, kind = 'wealth_purchase') AS wealth_amount_minor,
    countIf(kind = 'wealth_purchase' AND channel_class = 'online') AS wealth_online_purchases,
    sumIf(effective_minor, kind = 'wealth_purchase' AND channel_class = 'online') AS wealth_online_amount_minor,
    if(wealth_purchases = 0, NULL, wealth_online_purchases / wealth_purchases) AS wealth_online_share,
    if(wealth_amount_minor = 0, NULL, wealth_online_amount_minor / wealth_amount_minor) AS wealth_online_amount_share,
    countIf(scenario != '') AS scenario_transactions,
    scenario_transactions / transactions AS scenario_share
FROM {database}.transaction_days
ARRAY JOIN [('month', toStartOfMonth(day)), ('quarter', toStartOfQuarter(day)), ('year', toStartOfYear(day))] AS period
WHERE counts
GROUP BY run, period_kind, period_start;

-- customer_figures: one row for every period from the first to the last in which anybody is seen (`customer_days`).
--   high_value_coverage   = customers of high-value tiers (`value_tiers`) with an online transaction or an engaged login in the
--                           period / customers whose profile names such a tier, seen or not (ratio)
--   long_tail_customers   = customers seen before the period and without an engaged day in the 90 days before its first day
--   long_tail_activated   = those of them with an engaged day within the period
--   long_tail_activation_rate = long_tail_activated / long_tail_customers (ratio)
--   source: logins, transactions, touches, profiles
CREATE OR REPLACE VIEW {database}.customer_figures AS
WITH
    histories AS (
        SELECT
            run, customer, day, engaged, online,
            min(day) OVER (PARTITION BY run, customer) AS first_day,
            max(if(engaged, day, NULL)) OVER (
                PARTITION BY run, customer ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS engaged_before,
            (run, customer) IN (
                SELECT run, id FROM {database}.ledger FINAL
                WHERE kind = 'profile' AND tier IN (SELECT tier FROM {database}.value_tiers FINAL WHERE high_value)
            ) AS high_value,
            [('month', toStartOfMonth(day)), ('quarter', toStartOfQuarter(day)), ('year', toStartOfYear(day))] AS own_periods,
            arrayFlatten(arrayMap(ahead -> [
                ('month', addMonths(toStartOfMonth(day), ahead)),
                ('quarter', addQuarters(toStartOfQuarter(day), ahead)),
                ('year', addYears(toStartOfYear(day), ahead))
            ], [1, 2, 3, 4])) AS later_periods
        FROM {database}.customer_days
    ),
    -- every period a day says something about: the ones it lies in, and later ones whose past it belongs to
    marks AS (
        SELECT run, customer, mark.1 AS period_kind, mark.2 AS period_start, mark.3 AS says
        FROM histories
        ARRAY JOIN arrayConcat(
            arrayMap(period -> (period.1, period.2, 'known'),
                     if(day = first_day, arraySlice(later_periods, 1, 3), [])),
            arrayMap(period -> (period.1, period.2, 'recent'),
                     arrayFilter(period -> engaged AND period.2 <= day + 90, later_periods)),
            arrayMap(period -> (period.1, period.2, 'activated'),
                     arrayFilter(period -> engaged AND first_day < period.2 AND ifNull(engaged_before + 90 < period.2, true),
                                 own_periods)),
            arrayMap(period -> (period.1, period.2, 'covered'),
                     if(high_value AND (online OR engaged), own_periods, []))
        ) AS mark
    ),
    counted AS (
        SELECT
            run, period_kind, period_start,
            uniqExactIf(customer, says = 'known') AS newly_known,
            uniqExactIf(customer, says = 'recent') AS recent,
            uniqExactIf(customer, says = 'activated') AS activated,
            uniqExactIf(customer, says = 'covered') AS covered
        FROM marks
        GROUP BY run, period_kind, period_start
    ),
    calendar AS (
        SELECT run, period.1 AS period_kind, period.2 AS period_start
        FROM (SELECT run, min(day) AS first_day, max(day) AS last_day FROM {database}.customer_days GROUP BY run)
        ARRAY JOIN arrayConcat(
            arrayMap(ahead -> ('month', addMonths(toStartOfMonth(first_day), ahead)),
                     range(toUInt64(dateDiff('month', first_day, last_day) + 1))),
            arrayMap(ahead -> ('quarter', addQuarters(toStartOfQuarter(first_day), ahead)),
                     range(toUInt64(dateDiff('quarter', first_day, last_day) + 1))),
            arrayMap(ahead -> ('year', addYears(toStartOfYear(first_day), ahead)),
                     range(toUInt64(dateDiff('year', first_day, last_day) + 1)))
        ) AS period
    ),
    valuable AS (
        SELECT run, count() AS customers
        FROM {database}.ledger FINAL
        WHERE kind = 'profile' AND tier IN (SELECT tier FROM {database}.value_tiers FINAL WHERE high_value)
        GROUP BY run
    )
SELECT
    calendar.run AS run, calendar.period_kind AS period_kind, calendar.period_start AS period_start,
    valuable.customers AS high_value_customers,
    counted.covered AS high_value_covered,
    if(high_value_customers = 0, NULL, high_value_covered / high_value_customers) AS high_value_coverage,
    sum(counted.newly_known) OVER (
        PARTITION BY calendar.run, calendar.period_kind ORDER BY calendar.period_start
    ) - counted.recent AS long_tail_customers,
    counted.activated AS long_tail_activated,
    if(long_tail_customers = 0, NULL, long_tail_activated / long_tail_customers) AS long_tail_activation_rate
FROM calendar
LEFT JOIN counted ON calendar.run = counted.run AND calendar.period_kind = counted.period_kind
    AND calendar.period_start = counted.period_start
LEFT JOIN valuable ON calendar.run = valuable.run;

-- campaign_new_customers: customers a campaign has brought into the bank.
--   new_customers = distinct customers with credit from at least one account_open, dated to the first of them
--   cost_minor    = Cost(c) of the period, by its own time
--   cac_minor     = cost_minor / new_customers (minor units per customer; CAC)
--   source: credits, transactions; touches and cost events
CREATE OR REPLACE VIEW {database}.campaign_new_customers AS
SELECT
    run, scope AS campaign_id, period.1 AS period_kind, period.2 AS period_start,
    sum(newcomers) AS new_customers,
    sum(day_cost_minor) AS cost_minor,
    if(new_customers = 0, NULL, cost_minor / new_customers) AS cac_minor
FROM (
    SELECT run, scope, day, count() AS newcomers, 0 AS day_cost_minor
    FROM (
        SELECT opened.run AS run, scope, opened.customer AS customer, min(opened.day) AS day
        FROM (
            SELECT credit.run AS run, credit.campaign_id AS campaign_id, credit.customer AS customer, credit.day AS day
            FROM {database}.credit_days AS credit
            INNER JOIN (
                SELECT run, shard, transaction_event_id FROM {database}.transaction_days WHERE kind = 'account_open'
            ) AS opening
            ON credit.run = opening.run AND credit.shard = opening.shard
                AND credit.transaction_event_id = opening.transaction_event_id
        ) AS opened
        ARRAY JOIN [toString(opened.campaign_id), ''] AS scope
        GROUP BY run, scope, customer
    )
    GROUP BY run, scope, day
    UNION ALL
    SELECT run, scope, day, 0, day_cost_minor
    FROM {database}.cost_days
    ARRAY JOIN [toString(campaign_id), ''] AS scope
)
ARRAY JOIN [('month', toStartOfMonth(day)), ('quarter', toStartOfQuarter(day)), ('year', toStartOfYear(day))] AS period
GROUP BY run, scope, period_kind, period_start;

-- campaign_recommendations: do touches a model has chosen (recommended = 1) do better than the others (0)?
--   click_through_rate          = clicks / sends (creditable touches; a send may be clicked more than once)
--   customer_click_through_rate = customers with both a send and a click / customers with a send (ratio)
--   A send and a click stand under their own `recommended` and their own period. Source: touches
CREATE OR REPLACE VIEW {database}.campaign_recommendations AS
SELECT
    run, scope AS campaign_id, recommended, period_kind, period_start,
    sum(customer_sends) AS sends,
    sum(customer_clicks) AS clicks,
    if(sends = 0, NULL, clicks / sends) AS click_through_rate,
    countIf(customer_sends > 0) AS sent_customers,
    countIf(customer_sends > 0 AND customer_clicks > 0) AS clicking_customers,
    if(sent_customers = 0, NULL, clicking_customers / sent_customers) AS customer_click_through_rate
FROM (
    SELECT
        run, scope, recommended, period.1 AS period_kind, period.2 AS period_start, customer,
        countIf(kind = 'send') AS customer_sends, countIf(kind = 'click') AS customer_clicks
    FROM {database}.touch_days
    ARRAY JOIN [toString(campaign_id), ''] AS scope
    ARRAY JOIN [('month', toStartOfMonth(day)), ('quarter', toStartOfQuarter(day)), ('year', toStartOfYear(day))] AS period
    WHERE creditable AND kind IN ('send', 'click')
    GROUP BY run, scope, recommended, period_kind, period_start, customer
)
GROUP BY run, scope, recommended, period_kind, period_start;

-- campaign_automation: how much of the reach needs nobody's hands.
--   reached               = distinct customers with a creditable touch in the period
--   automated_only        = those whose creditable touches in the period were all automated
--   automated_reach_share = automated_only / reached (ratio). Source: touches
CREATE OR REPLACE VIEW {database}.campaign_automation AS
SELECT
    run, scope AS campaign_id, period_kind, period_start,
    count() AS reached,
    sum(only_automated) AS automated_only,
    automated_only / reached AS automated_reach_share
FROM (
    SELECT
        run, scope, period.1 AS period_kind, period.2 AS period_start, customer, min(automated) AS only_automated
    FROM {database}.touch_days
    ARRAY JOIN [toString(campaign_id), ''] AS scope
    ARRAY JOIN [('month', toStartOfMonth(day)), ('quarter', toStartOfQuarter(day)), ('year', toStartOfYear(day))] AS period
    WHERE creditable
    GROUP BY run, scope, period_kind, period_start, customer
)
GROUP BY run, scope, period_kind, period_start;

-- campaign_aum: what a campaign has brought into management, by the customers' tier.
--   aum_minor  = sum of the credits' AUM delta (minor units, negative where more left than came)
--   converters = distinct customers with credit in the period. Source: credits
CREATE OR REPLACE VIEW {database}.campaign_aum AS
SELECT
    run, scope AS campaign_id, tier, period.1 AS period_kind, period.2 AS period_start,
    sum(credited_aum_minor) AS aum_minor,
    uniqExact(customer) AS converters
FROM {database}.credit_days
ARRAY JOIN [toString(campaign_id), ''] AS scope
ARRAY JOIN [('month', toStartOfMonth(day)), ('quarter', toStartOfQuarter(day)), ('year', toStartOfYear(day))] AS period
GROUP BY run, scope, tier, period_kind, period_start;

-- campaign_aum_costs: what bringing in AUM costs, by the class of the touches' channels ('online', 'counter') and for 'all'.
--   cost_minor = cost of the touches of that class; under 'all' Cost(c), so with the cost events, which name no channel
--   aum_minor  = AUM delta credited to touches of that class
--   cost_per_10k_aum_minor = cost_minor / aum_minor * 1,000,000 (minor units per 10,000 currency units; null unless AUM came in)
--   source: touches, cost events, credits
CREATE OR REPLACE VIEW {database}.campaign_aum_costs AS
SELECT
    run, scope AS campaign_id, class AS channel_class, period.1 AS period_kind, period.2 AS period_start,
    sum(spent_minor) AS cost_minor,
    sum(brought_minor) AS aum_minor,
    if(aum_minor <= 0, NULL, cost_minor / aum_minor * 1000000) AS cost_per_10k_aum_minor
FROM (
    SELECT
        run, toString(campaign_id) AS campaign, channel_class AS class, day,
        touch_cost_minor AS spent_minor, 0 AS brought_minor
    FROM {database}.touch_days
    UNION ALL
    SELECT run, toString(campaign_id), 'all', day, day_cost_minor, 0 FROM {database}.cost_days
    UNION ALL
    SELECT credit.run, toString(credit.campaign_id), class, credit.day, 0, credit.credited_aum_minor
    FROM {database}.touch_days AS touch
    INNER JOIN {database}.credit_days AS credit
        ON touch.run = credit.run AND touch.shard = credit.shard AND touch.touch_event_id = credit.touch_event_id
    ARRAY JOIN [touch.channel_class, 'all'] AS class
)
ARRAY JOIN [campaign, ''] AS scope
ARRAY JOIN [('month', toStartOfMonth(day)), ('quarter', toStartOfQuarter(day)), ('year', toStartOfYear(day))] AS period
GROUP BY run, scope, class, period_kind, period_start;
