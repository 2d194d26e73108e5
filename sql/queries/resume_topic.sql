INSERT INTO {database}.halts (run, topic, id, kind, cause, remedy, halted_at, resumed_at, skip_bad, version)
SELECT run, topic, id, kind, cause, remedy, halted_at, ifNull(resumed_at, now64(3)), {skip_bad:Bool}, version + 1
FROM {database}.halts FINAL
WHERE run = {run:String} AND topic = {topic:String} AND (resumed_at IS NULL OR skip_bad)
