-- What became of one action: applied or refused, and why.
SELECT state, JSONExtractString(body, 'why') AS why
FROM {database}.alert_log FINAL
WHERE kind = 'action' AND id = {action:String}
