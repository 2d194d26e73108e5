-- What became of one action: applied or refused, and why; `asked` tells which request it was.
SELECT state, JSONExtractString(body, 'why') AS why, JSONExtractString(body, 'asked') AS asked
FROM {database}.alert_log FINAL
WHERE kind = 'action' AND id = {action:String}
