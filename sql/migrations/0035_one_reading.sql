-- Views that boards read all the time, with the same rows for less work: each goes over the ledger once.
--
-- FINAL merges the parts of the ledger in the order of the whole sorting key, which for the few hundred rows of the positions costs
-- five times what a comparison of their versions does. Their key is run, shard and topic; of one key the largest version counts.
CREATE OR REPLACE VIEW {database}.positions AS
SELECT
    run, topic, bitAnd(shard, 65535) AS partition, newest.2 AS topic_id,
    newest.1[1] AS next_offset,
    newest.1[2] AS watermark_ms,
    newest.1[3] AS accepted,
    newest.1[4] AS duplicates,
    newest.1[5] AS dead_letters,
    fromUnixTimestamp64Milli(newest.1[6], 'UTC') AS written_at
FROM (
    SELECT run, shard, label AS topic, argMax((measures, detail), version) AS newest
    FROM {database}.ledger
    WHERE kind = 'position'
    GROUP BY run, shard, topic
);

CREATE OR REPLACE VIEW {database}.freshness AS
SELECT run, max(written_at) AS updated_at
FROM {database}.positions
GROUP BY run;

-- As it was (0012): the changes of the days are added up once, put beside empty ones for the days without any, and rolled.
CREATE OR REPLACE VIEW {database}.active_users AS
WITH changes AS (
    SELECT
        run, toString(label) AS tier, greatest(0, least(at, 65535)) AS day_number,
        sum(measures[1]) AS dau, sum(measures[2]) AS wau, sum(measures[3]) AS mau, sum(measures[4]) AS gross,
        sum(measures[5]) AS mau_gross, sum(measures[6]) AS reactivated
    FROM {database}.ledger FINAL
    WHERE kind = 'activity'
    GROUP BY run, tier, day_number
)
SELECT
    run, toDate(day_number) AS day, scope AS tier,
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

-- As it was (0022): a campaign's touches and credits in one reading. A credit counts under the channel of its touch.
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
    GROUP BY run, shard, campaign_id, if(kind = 'touch', id, other_id)
    HAVING countIf(kind = 'touch') > 0
)
GROUP BY run, campaign_id, channel;

-- As it was (0021), straight from the records and the minutes: of the views between, most columns were of no use here.
CREATE OR REPLACE VIEW {database}.decision_outcomes AS
WITH
    604800 AS week,
    decisions AS (
        SELECT
            alert_id,
            any(campaign_id) AS campaign_id,
            argMax((decision, decided_by, approver, note, changed_at, as_of), (number, changed_at)) AS newest,
            toUnixTimestamp(toStartOfMinute(newest.6)) AS decided
        FROM (
            SELECT
                alert_id, toString(campaign_id) AS campaign_id, JSONExtractString(body, 'note') AS note, at AS changed_at,
                JSONExtractUInt(body, 'number') AS number,
                JSONExtractString(body, 'record', 'decision') AS decision,
                JSONExtractString(body, 'record', 'decided_by') AS decided_by,
                if(JSONExtractString(body, 'event') = 'approved', JSONExtractString(body, 'by'), '') AS approver,
                parseDateTime64BestEffortOrZero(JSONExtractString(body, 'record', 'as_of'), 3, 'UTC') AS as_of
            FROM {database}.alert_log FINAL
            WHERE kind = 'change' AND JSONExtractString(body, 'event') IN ('decided', 'approved')
        )
        WHERE as_of > 0
        GROUP BY alert_id
    ),
    sums AS (
        SELECT
            decisions.alert_id AS alert_id,
            any(decisions.campaign_id) AS campaign_id,
            any(decisions.newest) AS newest,
            any(decisions.decided) AS decided,
            sumIf(minutes.cost, second >= decisions.decided - week AND second < decisions.decided) AS cost_before,
            sumIf(minutes.returned, second >= decisions.decided - week AND second < decisions.decided) AS return_before,
            sumIf(minutes.cost, second >= decisions.decided AND second < decisions.decided + week) AS cost_after,
            sumIf(minutes.returned, second >= decisions.decided AND second < decisions.decided + week) AS return_after,
            sumIf(minutes.cost, second < decisions.decided) AS spent,
            minOrNullIf(second, minutes.cost > 0) AS first_cost
        FROM decisions
        LEFT JOIN (
            SELECT
                toString(campaign_id) AS campaign_id, greatest(0, least(at * 60, 4294967280)) AS second,
                sum(toInt128(measures[5])) AS cost, sum(toInt128(measures[6])) AS returned
            FROM {database}.ledger FINAL
            WHERE run = 'live' AND kind = 'minute' AND model = '' AND campaign_id IN (SELECT campaign_id FROM decisions)
            GROUP BY campaign_id, at
        ) AS minutes ON decisions.campaign_id = minutes.campaign_id
        GROUP BY alert_id
    ),
    looks AS (
        SELECT
            toString(campaign_id) AS campaign_id,
            toUnixTimestamp(max(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'as_of'), 3, 'UTC'))) AS newest
        FROM {database}.alert_log FINAL
        WHERE kind = 'alert'
        GROUP BY campaign_id
    ),
    measured AS (
        SELECT
            sums.alert_id AS alert_id, sums.campaign_id AS campaign_id, sums.newest AS newest, sums.decided AS decided,
            sums.cost_before AS cost_before, sums.return_before AS return_before,
            sums.cost_after AS cost_after, sums.return_after AS return_after,
            greatest(0, ifNull(looks.newest, 0) - decided) AS passed,
            toInt128(least(week, greatest(3600, decided - ifNull(sums.first_cost, decided)))) AS paced,
            if(isNull(plans.ends_at), week, least(week, greatest(0, toInt64(toUnixTimestamp(plans.ends_at)) - decided))) AS left,
            sums.cost_before * left AS share,
            intDiv(share, paced) - (share < 0 AND share % paced != 0) AS at_pace,
            if(isNull(plans.budget_minor), at_pace, least(at_pace, greatest(0, plans.budget_minor - sums.spent))) AS expected
        FROM sums
        LEFT JOIN looks ON sums.campaign_id = looks.campaign_id
        LEFT JOIN {database}.campaign_plans AS plans ON sums.campaign_id = plans.campaign_id
    )
SELECT
    alert_id, campaign_id,
    newest.1 AS decision,
    newest.2 AS decided_by,
    newest.3 AS approved_by,
    newest.4 AS note,
    newest.5 AS decided_at,
    newest.6 AS as_of,
    least(7, passed / 86400) AS days_so_far,
    cost_before AS cost_before_minor,
    return_before AS return_before_minor,
    if(cost_before = 0, NULL, return_before / cost_before) AS ratio_before,
    if(passed < week, NULL, cost_after) AS cost_after_minor,
    if(passed < week, NULL, return_after) AS return_after_minor,
    if(passed < week OR cost_after = 0, NULL, return_after / cost_after) AS ratio_after,
    if(passed < week OR decision = 'continue', NULL, greatest(0, expected - cost_after)) AS spend_avoided_minor
FROM measured;

-- As it was (0008): a cohort stands at every lag that it has lived through, up to the longest that any has.
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
            max(maxIf(lag_day, lag_day <= age)) OVER (PARTITION BY run, campaign_id) AS longest
        FROM cells
        GROUP BY run, campaign_id, touch_day, age
    ),
    sums AS (
        SELECT
            run, campaign_id, lag_day, count() AS cohorts,
            sum(conversions_at.2[indexOf(conversions_at.1, lag_day)]) AS conversions_at_lag,
            sum(arraySum((lag, amount) -> if(lag <= lag_day, amount, 0), conversions_at.1, conversions_at.2))
                AS conversions_through_lag,
            sum(return_at.2[indexOf(return_at.1, lag_day)]) AS return_at_lag_minor,
            sum(arraySum((lag, amount) -> if(lag <= lag_day, amount, 0), return_at.1, return_at.2))
                AS return_through_lag_minor
        FROM cohorts
        ARRAY JOIN range(least(age, longest) + 1) AS lag_day
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

-- As it was (0012): what does not depend on a model is taken from the deciding one's row beside it.
CREATE OR REPLACE VIEW {database}.campaign_model_totals AS
SELECT
    totals.run AS run,
    totals.campaign_id AS campaign_id,
    if(totals.model = '', runs.models[1], totals.model) AS model,
    totals.model = '' AS decides,
    totals.base_touches AS touches,
    totals.base_reached AS reached,
    totals.millionths / 1000000 AS conversions,
    totals.model_converters AS converters,
    totals.base_cost_minor AS cost_minor,
    totals.model_return_minor AS return_minor,
    totals.model_aum_minor AS aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi
FROM (
    SELECT
        run, campaign_id, model,
        sum(conversion_millionths) AS millionths, sum(converters) AS model_converters,
        sum(return_minor) AS model_return_minor, sum(aum_minor) AS model_aum_minor,
        sum(sumIf(touches, model = '')) OVER campaign AS base_touches,
        sum(sumIf(reached, model = '')) OVER campaign AS base_reached,
        sum(sumIf(cost_minor, model = '')) OVER campaign AS base_cost_minor
    FROM {database}.segment_totals
    WHERE segment = 'tier'
    GROUP BY run, campaign_id, model
    WINDOW campaign AS (PARTITION BY run, campaign_id)
) AS totals
LEFT JOIN {database}.runs FINAL ON totals.run = runs.run;
