-- changes with every definition of the run that is written
SELECT count(), max(version), toUnixTimestamp64Milli(max(updated_at))
FROM (
    SELECT version, updated_at FROM {database}.campaign_log WHERE {run:String} NOT IN (SELECT run FROM {database}.replays)
    UNION ALL
    SELECT version, updated_at FROM {database}.run_campaigns WHERE run = {run:String}
)
FORMAT JSONCompactEachRow
