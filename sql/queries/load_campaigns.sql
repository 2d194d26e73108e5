-- a replay's own definitions; live's for every other run
SELECT campaign_id, definition, version FROM {database}.campaign_log FINAL
WHERE {run:String} NOT IN (SELECT run FROM {database}.replays)
UNION ALL
SELECT campaign_id, definition, version FROM {database}.run_campaigns FINAL WHERE run = {run:String}
FORMAT JSONCompactEachRow
