-- An event id that comes again, once it is forgotten, is another event's: what belongs together is known by id and time.
-- The views are those of 0012 and, for the channels, of 0035; the days of facts also say the instants.

CREATE OR REPLACE VIEW {database}.transaction_days AS
SELECT
    original.run AS run,
    original.shard AS shard,
    original.id AS transaction_event_id,
    fromUnixTimestamp64Milli(original.at, 'UTC') AS converted_at,
    original.customer AS customer,
    original.category AS kind,
    original.channel AS channel,
    if(original.channel IN (SELECT channel FROM {database}.channel_classes FINAL WHERE class = 'counter'),
       'counter', 'online') AS channel_class,
    original.scenario AS scenario,
    bitTest(original.flags, 4) AS cross_bank,
    toInt128(if(reversed.reversed, reversed.left_minor, original.measures[1])) AS effective_minor,
    NOT (reversed.reversed AND reversed.left_minor = 0) AS counts,
    toDate(formatDateTime(fromUnixTimestamp64Milli(original.at, 'UTC'), '%F', zones.zone)) AS day
FROM (
    SELECT run, shard, id, at, customer, category, channel, scenario, flags, measures
    FROM {database}.ledger FINAL
    WHERE kind = 'transaction' AND other_id = ''
) AS original
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON original.run = zones.run
LEFT JOIN (
    SELECT run, shard, id, at, measures[1] AS left_minor, 1 AS reversed
    FROM {database}.ledger FINAL
    WHERE kind = 'adjustment'
) AS reversed
ON original.run = reversed.run AND original.shard = reversed.shard AND original.id = reversed.id AND original.at = reversed.at;

CREATE OR REPLACE VIEW {database}.touch_days AS
SELECT
    touch.run AS run,
    touch.shard AS shard,
    touch.id AS touch_event_id,
    fromUnixTimestamp64Milli(touch.at, 'UTC') AS touched_at,
    touch.customer AS customer,
    touch.campaign_id AS campaign_id,
    touch.category AS kind,
    if(touch.channel IN (SELECT channel FROM {database}.channel_classes FINAL WHERE class = 'counter'),
       'counter', 'online') AS channel_class,
    bitTest(touch.flags, 0) AS automated,
    bitTest(touch.flags, 1) AS recommended,
    bitTest(touch.flags, 2) AS creditable,
    toInt128(touch.measures[1]) AS touch_cost_minor,
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
    fromUnixTimestamp64Milli(credit.at, 'UTC') AS converted_at,
    fromUnixTimestamp64Milli(credit.measures[4], 'UTC') AS touched_at,
    credit.customer AS customer,
    credit.campaign_id AS campaign_id,
    credit.tier AS tier,
    toInt128(credit.measures[3]) AS credited_aum_minor,
    toDate(formatDateTime(fromUnixTimestamp64Milli(credit.at, 'UTC'), '%F', zones.zone)) AS day
FROM (
    SELECT run, shard, id, other_id, at, customer, campaign_id, tier, measures
    FROM {database}.ledger FINAL
    WHERE kind = 'credit' AND model = '' AND measures[1] != 0
) AS credit
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON credit.run = zones.run;

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
                SELECT run, shard, transaction_event_id, converted_at
                FROM {database}.transaction_days WHERE kind = 'account_open'
            ) AS opening
            ON credit.run = opening.run AND credit.shard = opening.shard
                AND credit.transaction_event_id = opening.transaction_event_id
                AND credit.converted_at = opening.converted_at
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
            AND touch.touched_at = credit.touched_at
    ARRAY JOIN [touch.channel_class, 'all'] AS class
)
ARRAY JOIN [campaign, ''] AS scope
ARRAY JOIN [('month', toStartOfMonth(day)), ('quarter', toStartOfQuarter(day)), ('year', toStartOfYear(day))] AS period
GROUP BY run, scope, class, period_kind, period_start;

-- A credit counts under the channel of its touch.
CREATE OR REPLACE VIEW {database}.campaign_channel_totals AS
SELECT
    run, campaign_id, channel,
    sum(is_creditable) AS touches,
    uniqExactIf(customer, is_creditable) AS reached,
    sum(millionths) / 1000000 AS conversions,
    uniqExactIf(credited, has_credit) AS converters,
    sum(cost) AS cost_minor,
    sum(returned) AS return_minor
FROM (
    SELECT
        run, campaign_id,
        toLowCardinality(anyIf(ledger.channel, kind = 'touch')) AS channel,
        anyIf(ledger.customer, kind = 'touch') AS customer,
        anyIf(ledger.customer, kind = 'credit') AS credited,
        maxIf(bitTest(flags, 2), kind = 'touch') AS is_creditable,
        sumIf(toInt128(measures[1]), kind = 'touch') AS cost,
        sumIf(measures[1], kind = 'credit') AS millionths,
        countIf(kind = 'credit' AND measures[1] > 0) > 0 AS has_credit,
        sumIf(toInt128(measures[2]), kind = 'credit') AS returned
    FROM {database}.ledger FINAL
    WHERE kind = 'touch' OR kind = 'credit' AND model = '' AND measures[1] != 0
    GROUP BY run, shard, campaign_id, if(kind = 'touch', id, other_id), if(kind = 'touch', at, measures[4])
    HAVING countIf(kind = 'touch') > 0
)
GROUP BY run, campaign_id, channel;
