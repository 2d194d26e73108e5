-- the newest analysis of each metric of an experiment among those of a version below one
SELECT metric, max(version), argMax(days_from, version)
FROM {database}.ab_log
WHERE run = {run:String} AND campaign_id = {campaign:String} AND kind = 'result' AND version < {before:UInt64}
GROUP BY metric
FORMAT JSONCompactEachRow
