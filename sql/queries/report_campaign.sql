-- one row where the campaign is defined or has events in the run: its name, and from when to when there is something to show
WITH
    (SELECT max(measures[2]) FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'position') AS newest,
    (
        SELECT (count(), toUnixTimestamp64Milli(toDateTime64(min(touch_day), 3, {zone:String})))
        FROM {database}.campaign_cohorts WHERE run = {run:String} AND campaign_id = {campaign:String}
    ) AS cohorts,
    (
        SELECT (count(), any(name), any(toUnixTimestamp64Milli(starts_at)))
        FROM {database}.run_plans WHERE run = {run:String} AND campaign_id = {campaign:String}
    ) AS plan,
    (SELECT count() FROM {database}.campaign_totals WHERE run = {run:String} AND campaign_id = {campaign:String}) AS counted
SELECT
    plan.2 AS name,
    if(newest > 0, newest, toUnixTimestamp64Milli(now64(3))) AS latest_ms,
    greatest(0, least(latest_ms - 1, multiIf(cohorts.1 > 0, cohorts.2, plan.1 > 0, ifNull(plan.3, 0), 0))) AS first_ms
WHERE counted > 0 OR plan.1 > 0 AND {run:String} IN (SELECT run FROM {database}.runs UNION ALL SELECT 'live')
