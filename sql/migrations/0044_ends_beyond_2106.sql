-- As it was (0038), but for instants outside 1970 to 2106, where toUnixTimestamp gives an error: one campaign that ends in 9999 took
-- away what is told of all decisions.
CREATE OR REPLACE VIEW {database}.decision_outcomes AS
WITH
    604800 AS week,
    decisions AS (
        SELECT
            alert_id,
            any(campaign_id) AS campaign_id,
            argMax((decision, decided_by, approver, note, changed_at, as_of), (number, changed_at)) AS newest,
            intDiv(toUnixTimestamp64Second(newest.6), 60) * 60 AS decided
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
            WHERE run = 'live' AND kind = 'minute' AND model = '' AND campaign_id IN (
                SELECT campaign_id FROM {database}.alert_log
                WHERE kind = 'change' AND JSONExtractString(body, 'event') IN ('decided', 'approved')
            )
            GROUP BY campaign_id, at
        ) AS minutes ON decisions.campaign_id = minutes.campaign_id
        GROUP BY alert_id
    ),
    looks AS (
        SELECT
            toString(campaign_id) AS campaign_id,
            toUnixTimestamp64Second(max(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'as_of'), 3, 'UTC'))) AS newest
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
            if(isNull(plans.ends_at), week, least(week, greatest(0, toUnixTimestamp64Second(assumeNotNull(plans.ends_at)) - decided))) AS left,
            sums.cost_before * left AS share,
            intDiv(share, paced) - (share < 0 AND share % paced != 0) AS at_pace,
            if(isNull(plans.budget_minor), at_pace, least(at_pace, greatest(0, plans.budget_minor - sums.spent))) AS expected
        FROM sums
        LEFT JOIN looks ON sums.campaign_id = looks.campaign_id
        LEFT JOIN (
            SELECT
                campaign_id,
                parseDateTime64BestEffortOrNull(
                    replaceRegexpOne(upper(JSONExtractString(definition, 'ends_at')), '([.][0-9]{3})[0-9]+', '\\1'), 3, 'UTC'
                ) AS ends_at,
                JSONExtract(definition, 'budget_minor', 'Nullable(Int64)') AS budget_minor
            FROM {database}.campaign_log FINAL
            WHERE definition != ''
        ) AS plans ON sums.campaign_id = plans.campaign_id
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
