-- How long ago an evaluator gave a sign of life, and whether it said that it ends; no row: there never was one.
SELECT age('ms', max(at), now64(3)) AS age_ms, argMax(JSONExtractBool(body, 'ended'), (epoch, beat)) AS has_ended
FROM {database}.alert_leases
HAVING count() > 0
