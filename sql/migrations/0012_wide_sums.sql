-- Sums of money that never wrap, and days that every view shows alike.
--
-- A stored measure fits 64 bits; what is added up from many need not: 9,300 amounts of the largest size are beyond it. All
-- sums of money are Int128, from the views that read the ledger up; counts stay as they were. A view keeps the column types it
-- was made with, so those above are made anew, with the text they had (0002, 0005, 0006, 0007, 0008 say what they mean).
-- A worker stores a cell that nears the edge as several rows: `id` numbers the rows of one chapter then.
-- Days outside of 1970-01-01..2149-06-06, minutes outside of 1970..2106 stand under the nearest of these.

CREATE OR REPLACE VIEW {database}.segment_totals AS
SELECT
    run, kind AS segment, campaign_id, label, model,
    sum(measures[1]) AS touches,
    sum(measures[2]) AS reached,
    sum(measures[3]) AS conversion_millionths,
    sum(measures[4]) AS converters,
    sum(toInt128(measures[5])) AS cost_minor,
    sum(toInt128(measures[6])) AS return_minor,
    sum(toInt128(measures[7])) AS aum_minor
FROM {database}.ledger FINAL
WHERE kind IN ('tier', 'variant')
GROUP BY run, segment, campaign_id, label, model;

CREATE OR REPLACE VIEW {database}.campaign_totals AS
SELECT
    run, campaign_id,
    sum(touches) AS touches,
    sum(reached) AS reached,
    sum(conversion_millionths) / 1000000 AS conversions,
    sum(converters) AS converters,
    sum(cost_minor) AS cost_minor,
    sum(return_minor) AS return_minor,
    sum(aum_minor) AS aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi,
    any(freshness.updated_at) AS updated_at
FROM {database}.segment_totals
LEFT JOIN {database}.freshness USING (run)
WHERE segment = 'tier' AND model = ''
GROUP BY run, campaign_id;

CREATE OR REPLACE VIEW {database}.campaign_variant_totals AS
SELECT
    run, campaign_id, label AS variant, touches, reached,
    conversion_millionths / 1000000 AS conversions,
    converters, cost_minor, return_minor, aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi,
    freshness.updated_at AS updated_at
FROM {database}.segment_totals
LEFT JOIN {database}.freshness USING (run)
WHERE segment = 'variant' AND model = '';

CREATE OR REPLACE VIEW {database}.campaign_tier_totals AS
SELECT
    run, campaign_id, label AS tier, touches, reached,
    conversion_millionths / 1000000 AS conversions,
    converters, cost_minor, return_minor, aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi,
    freshness.updated_at AS updated_at
FROM {database}.segment_totals
LEFT JOIN {database}.freshness USING (run)
WHERE segment = 'tier' AND model = '';

CREATE OR REPLACE VIEW {database}.campaign_minutes AS
SELECT
    run, campaign_id, toDateTime(toUInt32(greatest(0, least(at * 60, 4294967280))), 'UTC') AS minute,
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

CREATE OR REPLACE VIEW {database}.campaign_cohorts AS
SELECT
    run, campaign_id, toDate(toInt32(greatest(0, least(at, 65535)))) AS touch_day, lag AS lag_day,
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

CREATE OR REPLACE VIEW {database}.active_users AS
WITH
    changes AS (
        SELECT run, greatest(0, least(at, 65535)) AS day_number, label AS tier, sumForEach(measures) AS total
        FROM {database}.ledger FINAL
        WHERE kind = 'activity'
        GROUP BY run, day_number, tier
    ),
    span AS (
        SELECT run, minIf(day_number, total[4] > 0) AS first_day, maxIf(day_number, total[4] > 0) AS last_day
        FROM changes
        GROUP BY run
    ),
    tiers AS (
        SELECT DISTINCT run, tier FROM changes
    ),
    calendar AS (
        SELECT run, tier, at
        FROM (
            SELECT tiers.run AS run, tiers.tier AS tier, range(span.first_day, span.last_day + 1) AS days
            FROM tiers INNER JOIN span ON tiers.run = span.run
        )
        ARRAY JOIN days AS at
    ),
    daily AS (
        SELECT
            calendar.run AS run, calendar.tier AS tier, calendar.at AS at,
            if(empty(changes.total), arrayWithConstant(6, toInt64(0)), changes.total) AS total
        FROM calendar
        LEFT JOIN changes ON calendar.run = changes.run AND calendar.tier = changes.tier AND calendar.at = changes.day_number
    ),
    rolled AS (
        SELECT
            run, tier, at, total[1] AS dau, total[6] AS reactivated,
            sum(total[2]) OVER (PARTITION BY run, tier ORDER BY at) AS wau,
            sum(total[3]) OVER (PARTITION BY run, tier ORDER BY at) AS mau,
            sum(total[5]) OVER (PARTITION BY run, tier ORDER BY at) AS mau_gross
        FROM daily
    ),
    segments AS (
        SELECT run, at, tier, dau, wau, mau, mau_gross, reactivated FROM rolled
        UNION ALL
        SELECT run, at, '' AS tier, sum(dau), sum(wau), sum(mau), sum(mau_gross), sum(reactivated)
        FROM rolled GROUP BY run, at
    )
SELECT
    run, toDate(at) AS day, tier, dau, wau, mau, mau_gross, reactivated,
    if(mau = 0, NULL, dau / mau) AS stickiness
FROM segments;

CREATE OR REPLACE VIEW {database}.campaign_model_totals AS
SELECT
    credited.run AS run,
    credited.campaign_id AS campaign_id,
    if(credited.model = '', runs.models[1], credited.model) AS model,
    credited.model = '' AS decides,
    base.touches AS touches,
    base.reached AS reached,
    credited.millionths / 1000000 AS conversions,
    credited.converters AS converters,
    base.cost_minor AS cost_minor,
    credited.return_minor AS return_minor,
    credited.aum_minor AS aum_minor,
    if(base.reached = 0, NULL, credited.converters / base.reached) AS conversion_rate,
    if(credited.converters = 0, NULL, base.cost_minor / credited.converters) AS cpa_minor,
    if(base.cost_minor = 0, NULL, credited.return_minor / base.cost_minor) AS return_ratio,
    if(base.cost_minor = 0, NULL, (credited.return_minor - base.cost_minor) / base.cost_minor) AS net_roi
FROM (
    SELECT
        run, campaign_id, model,
        sum(conversion_millionths) AS millionths, sum(converters) AS converters,
        sum(return_minor) AS return_minor, sum(aum_minor) AS aum_minor
    FROM {database}.segment_totals
    WHERE segment = 'tier'
    GROUP BY run, campaign_id, model
) AS credited
LEFT JOIN (
    SELECT run, campaign_id, sum(touches) AS touches, sum(reached) AS reached, sum(cost_minor) AS cost_minor
    FROM {database}.segment_totals
    WHERE segment = 'tier' AND model = ''
    GROUP BY run, campaign_id
) AS base ON credited.run = base.run AND credited.campaign_id = base.campaign_id
LEFT JOIN {database}.runs FINAL ON credited.run = runs.run;

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

CREATE OR REPLACE VIEW {database}.cost_days AS
SELECT
    spent.run AS run,
    spent.campaign_id AS campaign_id,
    toDate(formatDateTime(fromUnixTimestamp64Milli(spent.at * 60000, 'UTC'), '%F', zones.zone)) AS day,
    sum(spent.minute_cost_minor) AS day_cost_minor
FROM (
    SELECT run, campaign_id, at, toInt128(measures[5]) AS minute_cost_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'minute' AND model = '' AND measures[5] != 0
) AS spent
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON spent.run = zones.run
GROUP BY run, campaign_id, day;

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

CREATE OR REPLACE VIEW {database}.campaign_aum AS
SELECT
    run, scope AS campaign_id, tier, period.1 AS period_kind, period.2 AS period_start,
    sum(credited_aum_minor) AS aum_minor,
    uniqExact(customer) AS converters
FROM {database}.credit_days
ARRAY JOIN [toString(campaign_id), ''] AS scope
ARRAY JOIN [('month', toStartOfMonth(day)), ('quarter', toStartOfQuarter(day)), ('year', toStartOfYear(day))] AS period
GROUP BY run, scope, tier, period_kind, period_start;

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

CREATE OR REPLACE VIEW {database}.campaign_costs AS
SELECT
    run, campaign_id, cost_category AS category, entries, cost_minor,
    if(sum(cost_minor) OVER (PARTITION BY run, campaign_id) = 0, NULL,
       cost_minor / sum(cost_minor) OVER (PARTITION BY run, campaign_id)) AS cost_share
FROM (
    SELECT
        run, campaign_id, if(kind = 'touch', concat('touch_', category), toString(category)) AS cost_category,
        count() AS entries, sum(toInt128(measures[1])) AS cost_minor
    FROM {database}.ledger FINAL
    WHERE kind IN ('touch', 'cost')
    GROUP BY run, campaign_id, cost_category
);

CREATE OR REPLACE VIEW {database}.campaign_vouchers AS
SELECT
    run, campaign_id,
    sum(customer_issued) AS issued,
    sum(customer_issued_minor) AS issued_minor,
    sum(customer_redeemed) AS redeemed,
    sum(customer_redeemed_minor) AS redeemed_minor,
    sum(customer_open) AS open,
    sum(arraySum(arraySlice(newest_first, 1, customer_open))) AS open_liability_minor,
    redeemed - (issued - open) AS unmatched_redemptions,
    if(issued = 0, NULL, (issued - open) / issued) AS redemption_rate
FROM (
    SELECT
        run, campaign_id,
        arrayReverseSort(groupArray((at, if(category = 'voucher_issue', 0, 1), id, toInt128(measures[1])))) AS latest_first,
        countIf(category = 'voucher_issue') AS customer_issued,
        sumIf(toInt128(measures[1]), category = 'voucher_issue') AS customer_issued_minor,
        countIf(category = 'voucher_redeem') AS customer_redeemed,
        sumIf(toInt128(measures[1]), category = 'voucher_redeem') AS customer_redeemed_minor,
        arrayMap(voucher -> voucher.4, arrayFilter(voucher -> voucher.2 = 0, latest_first)) AS newest_first,
        -- a queue that cannot fall below empty holds, at the end, the greatest sum of any of its last steps
        greatest(0, arrayMax(arrayCumSum(arrayMap(voucher -> if(voucher.2 = 0, 1, -1), latest_first)))) AS customer_open
    FROM {database}.ledger FINAL
    WHERE kind = 'touch' AND category IN ('voucher_issue', 'voucher_redeem')
    GROUP BY run, campaign_id, customer
)
GROUP BY run, campaign_id;

CREATE OR REPLACE VIEW {database}.campaign_budget AS
WITH
    spending AS (
        SELECT run, campaign_id, sum(cost_minor) AS spent
        FROM {database}.segment_totals
        WHERE segment = 'tier' AND model = ''
        GROUP BY run, campaign_id
    ),
    clock AS (
        SELECT run, max(watermark_ms) AS now_ms
        FROM {database}.positions
        WHERE watermark_ms > -4611686018427387904  -- the watermark of a partition that has had no event
        GROUP BY run
    ),
    plans AS (
        SELECT
            campaign_id,
            JSONExtract(definition, 'budget_minor', 'Nullable(Int64)') AS budget,
            parseDateTime64BestEffortOrNull(upper(JSONExtractString(definition, 'starts_at')), 3, 'UTC') AS starts,
            parseDateTime64BestEffortOrNull(upper(JSONExtractString(definition, 'ends_at')), 3, 'UTC') AS ends
        FROM {database}.campaign_definitions
    ),
    campaigns AS (
        SELECT run, toString(campaign_id) AS campaign FROM spending
        UNION DISTINCT
        SELECT runs.run, plans.campaign_id FROM (SELECT run FROM {database}.runs FINAL) AS runs CROSS JOIN plans
    )
SELECT
    campaigns.run AS run, campaigns.campaign AS campaign_id,
    plans.starts AS starts_at, plans.ends AS ends_at,
    if(clock.run = '', NULL, fromUnixTimestamp64Milli(clock.now_ms, 'UTC')) AS as_of,
    plans.budget AS budget_minor,
    spending.spent AS spent_minor,
    budget_minor - spent_minor AS remaining_minor,
    if(budget_minor = 0, NULL, spent_minor / budget_minor) AS spent_share,
    if(ends_at > starts_at,
       greatest(0, least(1, (toUnixTimestamp64Milli(as_of) - toUnixTimestamp64Milli(starts_at))
                            / (toUnixTimestamp64Milli(ends_at) - toUnixTimestamp64Milli(starts_at)))), NULL) AS elapsed_share,
    if(elapsed_share = 0, NULL, spent_share / elapsed_share) AS pace,
    if(elapsed_share = 0, NULL, spent_minor / elapsed_share) AS projected_minor,
    vouchers.open_liability_minor AS open_liability_minor
FROM campaigns
LEFT JOIN spending ON campaigns.run = spending.run AND campaigns.campaign = spending.campaign_id
LEFT JOIN plans ON campaigns.campaign = plans.campaign_id
LEFT JOIN clock ON campaigns.run = clock.run
LEFT JOIN {database}.campaign_vouchers AS vouchers
    ON campaigns.run = vouchers.run AND campaigns.campaign = vouchers.campaign_id;

CREATE OR REPLACE VIEW {database}.campaign_lag_curve AS
WITH
    cells AS (
        SELECT
            cohorts.run AS run, cohorts.campaign_id AS campaign_id, cohorts.touch_day AS touch_day,
            toInt64(cohorts.lag_day) AS lag_day, cohorts.conversions AS conversions,
            cohorts.return_minor AS return_minor,
            dateDiff('day', cohorts.touch_day, run_days.as_of) - 2 AS age
        FROM {database}.campaign_cohorts AS cohorts
        INNER JOIN {database}.run_days AS run_days ON cohorts.run = run_days.run
        WHERE age >= 0
    ),
    cohorts AS (
        SELECT
            run, campaign_id, age,
            sumMapIf([lag_day], [conversions], lag_day <= age) AS conversions_at,
            sumMapIf([lag_day], [return_minor], lag_day <= age) AS return_at,
            maxIf(lag_day, lag_day <= age) AS longest
        FROM cells
        GROUP BY run, campaign_id, touch_day, age
    ),
    spans AS (
        SELECT run, campaign_id, range(max(longest) + 1) AS lags
        FROM cohorts
        GROUP BY run, campaign_id
    ),
    lags AS (
        SELECT run, campaign_id, lag_day FROM spans ARRAY JOIN lags AS lag_day
    ),
    sums AS (
        SELECT
            lags.run AS run, lags.campaign_id AS campaign_id, lags.lag_day AS lag_day, count() AS cohorts,
            sum(conversions_at.2[indexOf(conversions_at.1, lag_day)]) AS conversions_at_lag,
            sum(arraySum((lag, amount) -> if(lag <= lag_day, amount, 0), conversions_at.1, conversions_at.2))
                AS conversions_through_lag,
            sum(return_at.2[indexOf(return_at.1, lag_day)]) AS return_at_lag_minor,
            sum(arraySum((lag, amount) -> if(lag <= lag_day, amount, 0), return_at.1, return_at.2))
                AS return_through_lag_minor
        FROM lags
        INNER JOIN cohorts ON lags.run = cohorts.run AND lags.campaign_id = cohorts.campaign_id
        WHERE cohorts.age >= lags.lag_day
        GROUP BY run, campaign_id, lag_day
    )
SELECT
    run, campaign_id, lag_day, cohorts,
    conversions_at_lag, conversions_through_lag, return_at_lag_minor, return_through_lag_minor,
    arrayProduct(arrayPushFront(groupArray(if(conversions_through_lag = 0, 1.,
        (conversions_through_lag - conversions_at_lag) / conversions_through_lag)) OVER later, 1.)) AS conversion_share,
    arrayProduct(arrayPushFront(groupArray(if(return_through_lag_minor = 0, 1.,
        (return_through_lag_minor - return_at_lag_minor) / return_through_lag_minor)) OVER later, 1.)) AS return_share
FROM sums
WINDOW later AS (PARTITION BY run, campaign_id ORDER BY lag_day ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING);

CREATE OR REPLACE VIEW {database}.campaign_converters AS
SELECT
    run, campaign_id, count() AS converters, sum(total) AS return_minor, sum(toFloat64(total) * toFloat64(total)) AS squared_return
FROM (
    SELECT run, campaign_id, customer, sum(toInt128(measures[2])) AS total
    FROM {database}.ledger FINAL
    WHERE kind = 'credit' AND model = '' AND measures[1] != 0
    GROUP BY run, campaign_id, customer
)
GROUP BY run, campaign_id;
