SELECT topic, kind, cause, remedy, resumed_at IS NOT NULL AS is_resumed
FROM {database}.halts FINAL
WHERE run = {run:String} AND (resumed_at IS NULL OR skip_bad)
ORDER BY topic, halted_at, id
FORMAT JSONCompactEachRow
