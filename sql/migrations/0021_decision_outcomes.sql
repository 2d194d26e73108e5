-- What became of decisions: one row per alert that somebody has decided about, with the newest decision. The formulas are
-- those of pipeline/alerts/after_decision.py, which has them for one alert. A week is 7 * 24 hours of event time from the
-- minute on that had been looked at (`as_of`); money stands under its own time (event view of the live run).
--   days_so_far          event days that have passed since, up to 7
--   ratio_before, _after return / cost of the week before and the week after (null without cost)
--   spend_avoided_minor  what would have gone out in that week at the pace of the week before, no further than the budget and
--                        the campaign's end, less what did; at least 0. A decision to continue avoids nothing (null)
-- What is not known before the week is over is null until then.
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
                alert_id, toString(campaign_id) AS campaign_id, note, changed_at,
                JSONExtractUInt(record, 'number') AS number,
                JSONExtractString(record, 'record', 'decision') AS decision,
                JSONExtractString(record, 'record', 'decided_by') AS decided_by,
                if(event = 'approved', ifNull(by, ''), '') AS approver,
                parseDateTime64BestEffortOrZero(JSONExtractString(record, 'record', 'as_of'), 3, 'UTC') AS as_of
            FROM {database}.alert_changes
            WHERE event IN ('decided', 'approved')
        )
        WHERE as_of > 0
        GROUP BY alert_id
    ),
    sums AS (
        SELECT
            decisions.alert_id AS alert_id,
            sumIf(cost_minor, second >= decided - week AND second < decided) AS cost_before,
            sumIf(return_minor, second >= decided - week AND second < decided) AS return_before,
            sumIf(cost_minor, second >= decided AND second < decided + week) AS cost_after,
            sumIf(return_minor, second >= decided AND second < decided + week) AS return_after,
            sumIf(cost_minor, second < decided) AS spent,
            minOrNullIf(second, cost_minor > 0) AS first_cost
        FROM decisions
        INNER JOIN (
            SELECT toString(campaign_id) AS campaign_id, toInt64(toUnixTimestamp(minute)) AS second, cost_minor, return_minor
            FROM {database}.campaign_minutes
            WHERE run = 'live' AND campaign_id IN (SELECT campaign_id FROM decisions)
        ) AS minutes ON decisions.campaign_id = minutes.campaign_id
        GROUP BY alert_id
    ),
    looks AS (
        SELECT campaign_id, toUnixTimestamp(max(as_of)) AS newest FROM {database}.alerts GROUP BY campaign_id
    ),
    measured AS (
        SELECT
            decisions.alert_id AS alert_id, decisions.campaign_id AS campaign_id, decisions.newest AS newest,
            decisions.decided AS decided,
            sums.cost_before AS cost_before, sums.return_before AS return_before,
            sums.cost_after AS cost_after, sums.return_after AS return_after,
            greatest(0, ifNull(looks.newest, 0) - decided) AS passed,
            toInt128(least(week, greatest(3600, decided - ifNull(sums.first_cost, decided)))) AS paced,
            if(isNull(plans.ends_at), week, least(week, greatest(0, toInt64(toUnixTimestamp(plans.ends_at)) - decided))) AS left,
            sums.cost_before * left AS share,
            intDiv(share, paced) - (share < 0 AND share % paced != 0) AS at_pace,
            if(isNull(plans.budget_minor), at_pace, least(at_pace, greatest(0, plans.budget_minor - sums.spent))) AS expected
        FROM decisions
        LEFT JOIN sums ON decisions.alert_id = sums.alert_id
        LEFT JOIN looks ON decisions.campaign_id = looks.campaign_id
        LEFT JOIN {database}.campaign_plans AS plans ON decisions.campaign_id = plans.campaign_id
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
