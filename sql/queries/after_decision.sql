-- What a campaign cost and returned around an instant of a decision (event view), and what it might have spent afterwards.
-- Days are whole 24 hours of event time from the minute of the decision on. (toUnixTimestamp ends in 2106, and a campaign that is
-- to run for ever often ends in 9999.)
WITH
    toDateTime({decided:Int64}, 'UTC') AS decided,
    plan AS (SELECT budget_minor, ends_at FROM {database}.campaign_plans WHERE campaign_id = {campaign:String})
SELECT
    toInt128(sumIf(cost_minor, minute >= decided - INTERVAL {days:UInt8} DAY AND minute < decided)) AS cost_before_minor,
    toInt128(sumIf(return_minor, minute >= decided - INTERVAL {days:UInt8} DAY AND minute < decided)) AS return_before_minor,
    toInt128(sumIf(cost_minor, minute >= decided AND minute < decided + INTERVAL {days:UInt8} DAY)) AS cost_after_minor,
    toInt128(sumIf(return_minor, minute >= decided AND minute < decided + INTERVAL {days:UInt8} DAY)) AS return_after_minor,
    toInt128(sumIf(cost_minor, minute < decided)) AS spent_minor,
    toUnixTimestamp(minOrNullIf(minute, cost_minor > 0)) AS first_cost,
    (SELECT any(budget_minor) FROM plan) AS budget_minor,
    (SELECT toUnixTimestamp64Second(any(ends_at)) FROM plan) AS ends,
    (SELECT toUnixTimestamp64Second(max(as_of)) FROM {database}.alerts WHERE campaign_id = {campaign:String}) AS newest
FROM {database}.campaign_minutes
WHERE run = 'live' AND campaign_id = {campaign:String}
