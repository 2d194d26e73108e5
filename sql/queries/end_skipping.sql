INSERT INTO {database}.halts (run, topic, id, kind, cause, remedy, halted_at, resumed_at, skip_bad, version)
SELECT run, topic, id, kind, cause, remedy, halted_at, resumed_at, false, version + 1
FROM {database}.halts FINAL
WHERE run = {run:String} AND topic = {topic:String} AND resumed_at IS NOT NULL AND skip_bad
