-- Times beyond 2106-02-07 and days beyond 2149-06-06 are what they are, until the end of 2299: they were shown as the last that
-- DateTime and Date hold, so several rows had one key. Live refuses such events, but a replay has no limit of the clock.
-- DateTime64(0) and Date32 read as the same texts and compare with DateTime and Date. (toStartOfMonth and its like end in 2149,
-- whatever they are given.)

-- As it was (0012), but for that.
CREATE OR REPLACE VIEW {database}.campaign_minutes AS
SELECT
    run, campaign_id, toDateTime64(greatest(0, least(at * 60, 10413791940)), 0, 'UTC') AS minute,
    touches, new_reached, millionths / 1000000 AS conversions, new_converters, cost_minor, return_minor, aum_minor
FROM (
    SELECT
        run, campaign_id, at,
        sum(measures[1]) AS touches,
        sum(measures[2]) AS new_reached,
        sum(measures[3]) AS millionths,
        sum(measures[4]) AS new_converters,
        sum(toInt128(measures[5])) AS cost_minor,
        sum(toInt128(measures[6])) AS return_minor,
        sum(toInt128(measures[7])) AS aum_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'minute' AND model = ''
    GROUP BY run, campaign_id, at
)
WHERE touches != 0 OR new_reached != 0 OR millionths != 0 OR new_converters != 0 OR cost_minor != 0
    OR return_minor != 0 OR aum_minor != 0;

-- As it was (0020), but for that. A cast keeps to the order of the key, which the functions do not say of themselves.
CREATE OR REPLACE VIEW {database}.campaign_hours AS
SELECT
    run, campaign_id, hour,
    touches, new_reached, millionths / 1000000 AS conversions, new_converters, cost_minor, return_minor, aum_minor
FROM (
    SELECT
        run, id AS campaign_id, CAST(at AS DateTime64(0, 'UTC')) AS hour,
        sum(measures[1]) AS touches,
        sum(measures[2]) AS new_reached,
        sum(measures[3]) AS millionths,
        sum(measures[4]) AS new_converters,
        sum(toInt128(measures[5])) AS cost_minor,
        sum(toInt128(measures[6])) AS return_minor,
        sum(toInt128(measures[7])) AS aum_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'hour' AND model = ''
    GROUP BY run, campaign_id, hour
)
WHERE touches != 0 OR new_reached != 0 OR millionths != 0 OR new_converters != 0 OR cost_minor != 0
    OR return_minor != 0 OR aum_minor != 0;

-- As it was (0020), but for that.
CREATE OR REPLACE VIEW {database}.campaign_days AS
SELECT
    run, campaign_id, day,
    touches, new_reached, millionths / 1000000 AS conversions, new_converters, cost_minor, return_minor, aum_minor
FROM (
    SELECT
        run, campaign_id, toDate32(toInt32(greatest(0, least(at, 120529)))) AS day,
        sum(measures[1]) AS touches,
        sum(measures[2]) AS new_reached,
        sum(measures[3]) AS millionths,
        sum(measures[4]) AS new_converters,
        sum(toInt128(measures[5])) AS cost_minor,
        sum(toInt128(measures[6])) AS return_minor,
        sum(toInt128(measures[7])) AS aum_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'day' AND model = ''
    GROUP BY run, campaign_id, day
)
WHERE touches != 0 OR new_reached != 0 OR millionths != 0 OR new_converters != 0 OR cost_minor != 0
    OR return_minor != 0 OR aum_minor != 0;

-- As it was (0012), but for that.
CREATE OR REPLACE VIEW {database}.campaign_cohorts AS
SELECT
    run, campaign_id, toDate32(toInt32(greatest(0, least(at, 120529)))) AS touch_day, lag AS lag_day,
    millionths / 1000000 AS conversions, return_minor, aum_minor, cost_minor, reached
FROM (
    SELECT
        run, campaign_id, at, lag,
        sum(measures[2]) AS reached,
        sum(measures[3]) AS millionths,
        sum(toInt128(measures[5])) AS cost_minor,
        sum(toInt128(measures[6])) AS return_minor,
        sum(toInt128(measures[7])) AS aum_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'cohort' AND model = ''
    GROUP BY run, campaign_id, at, lag
)
WHERE reached != 0 OR millionths != 0 OR cost_minor != 0 OR return_minor != 0 OR aum_minor != 0;

-- As it was (0035), but for that.
CREATE OR REPLACE VIEW {database}.active_users AS
WITH changes AS (
    SELECT
        run, toString(label) AS tier, greatest(0, least(at, 120529)) AS day_number,
        sum(measures[1]) AS dau, sum(measures[2]) AS wau, sum(measures[3]) AS mau, sum(measures[4]) AS gross,
        sum(measures[5]) AS mau_gross, sum(measures[6]) AS reactivated
    FROM {database}.ledger FINAL
    WHERE kind = 'activity'
    GROUP BY run, tier, day_number
)
SELECT
    run, toDate32(day_number) AS day, scope AS tier,
    sum(tier_dau) AS dau, sum(tier_wau) AS wau, sum(tier_mau) AS mau, sum(tier_mau_gross) AS mau_gross,
    sum(tier_reactivated) AS reactivated,
    if(mau = 0, NULL, dau / mau) AS stickiness
FROM (
    SELECT
        run, tier, day.1 AS day_number, sum(day.2) AS tier_dau, sum(day.6) AS tier_reactivated,
        sum(sum(day.3)) OVER so_far AS tier_wau,
        sum(sum(day.4)) OVER so_far AS tier_mau,
        sum(sum(day.5)) OVER so_far AS tier_mau_gross
    FROM (
        SELECT
            run, tier, cells,
            ifNull(min(began) OVER of_run, 0) AS first_day,
            ifNull(max(ended) OVER of_run, 0) AS last_day
        FROM (
            SELECT
                run, tier,
                groupArray((toInt64(day_number), dau, wau, mau, mau_gross, reactivated)) AS cells,
                minOrNullIf(day_number, gross > 0) AS began,
                maxOrNullIf(day_number, gross > 0) AS ended
            FROM changes
            GROUP BY run, tier
        )
        WINDOW of_run AS (PARTITION BY run)
    )
    ARRAY JOIN arrayConcat(
        arrayFilter(cell -> cell.1 BETWEEN first_day AND last_day, cells),
        arrayMap(number -> (toInt64(number), 0, 0, 0, 0, 0), range(first_day, last_day + 1))
    ) AS day
    GROUP BY run, tier, day_number
    WINDOW so_far AS (PARTITION BY run, tier ORDER BY day_number)
)
ARRAY JOIN arrayDistinct([tier, '']) AS scope
GROUP BY run, day_number, scope;

-- As it was (0040), but for that.
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
    toDate32(formatDateTime(fromUnixTimestamp64Milli(original.at, 'UTC'), '%F', zones.zone)) AS day
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

-- As it was (0040), but for that.
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
    toDate32(formatDateTime(fromUnixTimestamp64Milli(touch.at, 'UTC'), '%F', zones.zone)) AS day
FROM (
    SELECT run, shard, id, at, customer, campaign_id, category, channel, flags, measures
    FROM {database}.ledger FINAL
    WHERE kind = 'touch'
) AS touch
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON touch.run = zones.run;

-- As it was (0040), but for that.
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
    toDate32(formatDateTime(fromUnixTimestamp64Milli(credit.at, 'UTC'), '%F', zones.zone)) AS day
FROM (
    SELECT run, shard, id, other_id, at, customer, campaign_id, tier, measures
    FROM {database}.ledger FINAL
    WHERE kind = 'credit' AND model = '' AND measures[1] != 0
) AS credit
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON credit.run = zones.run;

-- As it was (0012), but for that.
CREATE OR REPLACE VIEW {database}.cost_days AS
SELECT
    spent.run AS run,
    spent.campaign_id AS campaign_id,
    toDate32(formatDateTime(fromUnixTimestamp64Milli(spent.at * 60000, 'UTC'), '%F', zones.zone)) AS day,
    sum(spent.minute_cost_minor) AS day_cost_minor
FROM (
    SELECT run, campaign_id, at, toInt128(measures[5]) AS minute_cost_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'minute' AND model = '' AND measures[5] != 0
) AS spent
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON spent.run = zones.run
GROUP BY run, campaign_id, day;

-- As it was (0006), but for that.
CREATE OR REPLACE VIEW {database}.customer_days AS
SELECT run, customer, day, max(is_engaged) AS engaged, max(is_online) AS online
FROM (
    SELECT run, id AS customer, toDate32(toInt32(greatest(0, least(at, 120529)))) AS day,
           bitTest(flags, 3) AS is_engaged, 0 AS is_online
    FROM {database}.ledger FINAL
    WHERE kind = 'login'
    UNION ALL
    SELECT run, customer, day, 0, counts AND channel_class = 'online' FROM {database}.transaction_days
    UNION ALL
    SELECT run, customer, day, 0, 0 FROM {database}.touch_days
)
GROUP BY run, customer, day;

-- As it was (0041), but for that.
CREATE OR REPLACE VIEW {database}.run_days AS
SELECT
    positions.run AS run,
    max(toDate32(formatDateTime(fromUnixTimestamp64Milli(
        if(bounded.run = '', positions.watermark_ms, least(positions.watermark_ms, assumeNotNull(bounded.to_ms))), 'UTC'
    ), '%F', runs.zone))) AS as_of
FROM (
    SELECT run, argMax(measures[2], version) AS watermark_ms
    FROM {database}.ledger
    WHERE kind = 'position' AND label = 'bank.transactions.v1'
    GROUP BY run, shard
) AS positions
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS runs ON positions.run = runs.run
LEFT JOIN (SELECT run, to_ms FROM {database}.replays FINAL WHERE to_ms IS NOT NULL) AS bounded ON positions.run = bounded.run
WHERE positions.watermark_ms > 0
GROUP BY run;

-- As it was (0042), but for that.
CREATE OR REPLACE VIEW {database}.run_clocks AS
SELECT
    positions.run AS run,
    runs.zone AS zone,
    fromUnixTimestamp64Milli(
        max(if(bounded.run = '', positions.watermark_ms, least(positions.watermark_ms, assumeNotNull(bounded.to_ms) - 1))), 'UTC'
    ) AS as_of,
    toDate32(formatDateTime(fromUnixTimestamp64Milli(
        max(if(bounded.run = '', positions.watermark_ms, least(positions.watermark_ms, assumeNotNull(bounded.to_ms)))), 'UTC'
    ), '%F', runs.zone)) AS today
FROM (
    SELECT run, argMax(measures[2], version) AS watermark_ms
    FROM {database}.ledger
    WHERE kind = 'position'
    GROUP BY run, shard, label
) AS positions
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS runs ON positions.run = runs.run
LEFT JOIN (SELECT run, to_ms FROM {database}.replays FINAL WHERE to_ms IS NOT NULL) AS bounded ON positions.run = bounded.run
WHERE positions.watermark_ms > 0
GROUP BY run, zone;

-- As it was (0012), but for that.
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
    ARRAY JOIN [
        ('month', makeDate32(toYear(day), toMonth(day), 1)),
        ('quarter', makeDate32(toYear(day), 3 * toQuarter(day) - 2, 1)),
        ('year', makeDate32(toYear(day), 1, 1))
    ] AS period
    WHERE counts
    GROUP BY run, period_kind, period_start, channel, channel_class
);

-- As it was (0012), but for that.
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
ARRAY JOIN [
    ('month', makeDate32(toYear(day), toMonth(day), 1)),
    ('quarter', makeDate32(toYear(day), 3 * toQuarter(day) - 2, 1)),
    ('year', makeDate32(toYear(day), 1, 1))
] AS period
WHERE counts
GROUP BY run, period_kind, period_start;

-- As it was (0006), but for that.
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
            [
                ('month', makeDate32(toYear(day), toMonth(day), 1)),
                ('quarter', makeDate32(toYear(day), 3 * toQuarter(day) - 2, 1)),
                ('year', makeDate32(toYear(day), 1, 1))
            ] AS own_periods,
            arrayFlatten(arrayMap(ahead -> [
                ('month', addMonths(makeDate32(toYear(day), toMonth(day), 1), ahead)),
                ('quarter', addQuarters(makeDate32(toYear(day), 3 * toQuarter(day) - 2, 1), ahead)),
                ('year', addYears(makeDate32(toYear(day), 1, 1), ahead))
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
            arrayMap(ahead -> ('month', addMonths(makeDate32(toYear(first_day), toMonth(first_day), 1), ahead)),
                     range(toUInt64(dateDiff('month', first_day, last_day) + 1))),
            arrayMap(ahead -> ('quarter', addQuarters(makeDate32(toYear(first_day), 3 * toQuarter(first_day) - 2, 1), ahead)),
                     range(toUInt64(dateDiff('quarter', first_day, last_day) + 1))),
            arrayMap(ahead -> ('year', addYears(makeDate32(toYear(first_day), 1, 1), ahead)),
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

-- As it was (0040), but for that.
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
ARRAY JOIN [
    ('month', makeDate32(toYear(day), toMonth(day), 1)),
    ('quarter', makeDate32(toYear(day), 3 * toQuarter(day) - 2, 1)),
    ('year', makeDate32(toYear(day), 1, 1))
] AS period
GROUP BY run, scope, period_kind, period_start;

-- As it was (0006), but for that.
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
    ARRAY JOIN [
        ('month', makeDate32(toYear(day), toMonth(day), 1)),
        ('quarter', makeDate32(toYear(day), 3 * toQuarter(day) - 2, 1)),
        ('year', makeDate32(toYear(day), 1, 1))
    ] AS period
    WHERE creditable AND kind IN ('send', 'click')
    GROUP BY run, scope, recommended, period_kind, period_start, customer
)
GROUP BY run, scope, recommended, period_kind, period_start;

-- As it was (0006), but for that.
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
    ARRAY JOIN [
        ('month', makeDate32(toYear(day), toMonth(day), 1)),
        ('quarter', makeDate32(toYear(day), 3 * toQuarter(day) - 2, 1)),
        ('year', makeDate32(toYear(day), 1, 1))
    ] AS period
    WHERE creditable
    GROUP BY run, scope, period_kind, period_start, customer
)
GROUP BY run, scope, period_kind, period_start;

-- As it was (0012), but for that.
CREATE OR REPLACE VIEW {database}.campaign_aum AS
SELECT
    run, scope AS campaign_id, tier, period.1 AS period_kind, period.2 AS period_start,
    sum(credited_aum_minor) AS aum_minor,
    uniqExact(customer) AS converters
FROM {database}.credit_days
ARRAY JOIN [toString(campaign_id), ''] AS scope
ARRAY JOIN [
    ('month', makeDate32(toYear(day), toMonth(day), 1)),
    ('quarter', makeDate32(toYear(day), 3 * toQuarter(day) - 2, 1)),
    ('year', makeDate32(toYear(day), 1, 1))
] AS period
GROUP BY run, scope, tier, period_kind, period_start;

-- As it was (0040), but for that.
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
ARRAY JOIN [
    ('month', makeDate32(toYear(day), toMonth(day), 1)),
    ('quarter', makeDate32(toYear(day), 3 * toQuarter(day) - 2, 1)),
    ('year', makeDate32(toYear(day), 1, 1))
] AS period
GROUP BY run, scope, class, period_kind, period_start;

-- What is counted now and then (0033) holds periods by their first day: made anew, for the key of a table does not change its type.
-- Until each has been counted, boards count at each question (0036).

DROP TABLE IF EXISTS {database}.counted_transaction_figures;
DROP TABLE IF EXISTS {database}.board_either_transaction_figures;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_transaction_figures
REFRESH EVERY 1 HOUR
ENGINE = MergeTree ORDER BY (run, period_kind, period_start)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.transaction_figures
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

CREATE OR REPLACE VIEW {database}.board_uncounted_transaction_figures AS
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.transaction_figures;

CREATE TABLE IF NOT EXISTS {database}.board_either_transaction_figures AS {database}.board_uncounted_transaction_figures
ENGINE = Merge('{database}', '^(counted|board_uncounted)_transaction_figures$');

CREATE OR REPLACE VIEW {database}.board_transaction_figures AS
WITH (SELECT count() FROM {database}.ledger) >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_transaction_figures) AS is_stored
SELECT * FROM {database}.board_either_transaction_figures
WHERE _table = if(is_stored, 'counted_transaction_figures', 'board_uncounted_transaction_figures');

DROP TABLE IF EXISTS {database}.counted_channel_mix;
DROP TABLE IF EXISTS {database}.board_either_channel_mix;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_channel_mix
REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_transaction_figures
ENGINE = MergeTree ORDER BY (run, period_kind, period_start, channel)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.channel_mix
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

CREATE OR REPLACE VIEW {database}.board_uncounted_channel_mix AS
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.channel_mix;

CREATE TABLE IF NOT EXISTS {database}.board_either_channel_mix AS {database}.board_uncounted_channel_mix
ENGINE = Merge('{database}', '^(counted|board_uncounted)_channel_mix$');

CREATE OR REPLACE VIEW {database}.board_channel_mix AS
WITH (SELECT count() FROM {database}.ledger) >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_channel_mix) AS is_stored
SELECT * FROM {database}.board_either_channel_mix
WHERE _table = if(is_stored, 'counted_channel_mix', 'board_uncounted_channel_mix');

DROP TABLE IF EXISTS {database}.counted_campaign_aum;
DROP TABLE IF EXISTS {database}.board_either_campaign_aum;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_campaign_aum
REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_channel_mix
ENGINE = MergeTree ORDER BY (run, campaign_id, period_kind, period_start, tier)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_aum
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

CREATE OR REPLACE VIEW {database}.board_uncounted_campaign_aum AS
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.campaign_aum;

CREATE TABLE IF NOT EXISTS {database}.board_either_campaign_aum AS {database}.board_uncounted_campaign_aum
ENGINE = Merge('{database}', '^(counted|board_uncounted)_campaign_aum$');

CREATE OR REPLACE VIEW {database}.board_campaign_aum AS
WITH (SELECT count() FROM {database}.ledger) >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_aum) AS is_stored
SELECT * FROM {database}.board_either_campaign_aum
WHERE _table = if(is_stored, 'counted_campaign_aum', 'board_uncounted_campaign_aum');

DROP TABLE IF EXISTS {database}.counted_campaign_aum_costs;
DROP TABLE IF EXISTS {database}.board_either_campaign_aum_costs;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_campaign_aum_costs
REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_campaign_aum
ENGINE = MergeTree ORDER BY (run, campaign_id, period_kind, period_start, channel_class)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_aum_costs
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

CREATE OR REPLACE VIEW {database}.board_uncounted_campaign_aum_costs AS
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.campaign_aum_costs;

CREATE TABLE IF NOT EXISTS {database}.board_either_campaign_aum_costs AS {database}.board_uncounted_campaign_aum_costs
ENGINE = Merge('{database}', '^(counted|board_uncounted)_campaign_aum_costs$');

CREATE OR REPLACE VIEW {database}.board_campaign_aum_costs AS
WITH (SELECT count() FROM {database}.ledger) >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_aum_costs) AS is_stored
SELECT * FROM {database}.board_either_campaign_aum_costs
WHERE _table = if(is_stored, 'counted_campaign_aum_costs', 'board_uncounted_campaign_aum_costs');

DROP TABLE IF EXISTS {database}.counted_campaign_automation;
DROP TABLE IF EXISTS {database}.board_either_campaign_automation;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_campaign_automation
REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_campaign_aum_costs
ENGINE = MergeTree ORDER BY (run, campaign_id, period_kind, period_start)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_automation
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

CREATE OR REPLACE VIEW {database}.board_uncounted_campaign_automation AS
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.campaign_automation;

CREATE TABLE IF NOT EXISTS {database}.board_either_campaign_automation AS {database}.board_uncounted_campaign_automation
ENGINE = Merge('{database}', '^(counted|board_uncounted)_campaign_automation$');

CREATE OR REPLACE VIEW {database}.board_campaign_automation AS
WITH (SELECT count() FROM {database}.ledger) >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_automation) AS is_stored
SELECT * FROM {database}.board_either_campaign_automation
WHERE _table = if(is_stored, 'counted_campaign_automation', 'board_uncounted_campaign_automation');

DROP TABLE IF EXISTS {database}.counted_campaign_recommendations;
DROP TABLE IF EXISTS {database}.board_either_campaign_recommendations;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_campaign_recommendations
REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_campaign_automation
ENGINE = MergeTree ORDER BY (run, campaign_id, period_kind, period_start, recommended)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_recommendations
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

CREATE OR REPLACE VIEW {database}.board_uncounted_campaign_recommendations AS
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.campaign_recommendations;

CREATE TABLE IF NOT EXISTS {database}.board_either_campaign_recommendations AS {database}.board_uncounted_campaign_recommendations
ENGINE = Merge('{database}', '^(counted|board_uncounted)_campaign_recommendations$');

CREATE OR REPLACE VIEW {database}.board_campaign_recommendations AS
WITH (SELECT count() FROM {database}.ledger) >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_recommendations) AS is_stored
SELECT * FROM {database}.board_either_campaign_recommendations
WHERE _table = if(is_stored, 'counted_campaign_recommendations', 'board_uncounted_campaign_recommendations');

DROP TABLE IF EXISTS {database}.counted_campaign_new_customers;
DROP TABLE IF EXISTS {database}.board_either_campaign_new_customers;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_campaign_new_customers
REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_campaign_recommendations
ENGINE = MergeTree ORDER BY (run, campaign_id, period_kind, period_start)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_new_customers
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

CREATE OR REPLACE VIEW {database}.board_uncounted_campaign_new_customers AS
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.campaign_new_customers;

CREATE TABLE IF NOT EXISTS {database}.board_either_campaign_new_customers AS {database}.board_uncounted_campaign_new_customers
ENGINE = Merge('{database}', '^(counted|board_uncounted)_campaign_new_customers$');

CREATE OR REPLACE VIEW {database}.board_campaign_new_customers AS
WITH (SELECT count() FROM {database}.ledger) >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_new_customers) AS is_stored
SELECT * FROM {database}.board_either_campaign_new_customers
WHERE _table = if(is_stored, 'counted_campaign_new_customers', 'board_uncounted_campaign_new_customers');

DROP TABLE IF EXISTS {database}.counted_customer_figures;
DROP TABLE IF EXISTS {database}.board_either_customer_figures;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_customer_figures
REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_campaign_new_customers
ENGINE = MergeTree ORDER BY (run, period_kind, period_start)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.customer_figures
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

CREATE OR REPLACE VIEW {database}.board_uncounted_customer_figures AS
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.customer_figures;

CREATE TABLE IF NOT EXISTS {database}.board_either_customer_figures AS {database}.board_uncounted_customer_figures
ENGINE = Merge('{database}', '^(counted|board_uncounted)_customer_figures$');

CREATE OR REPLACE VIEW {database}.board_customer_figures AS
WITH (SELECT count() FROM {database}.ledger) >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_customer_figures) AS is_stored
SELECT * FROM {database}.board_either_customer_figures
WHERE _table = if(is_stored, 'counted_customer_figures', 'board_uncounted_customer_figures');
