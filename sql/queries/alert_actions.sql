-- What people asked for and nobody has applied or refused yet, oldest first; of one id the first counts.
SELECT action_id, alert_id, action, by, body, toUnixTimestamp64Milli(at) AS at_ms
FROM {database}.alert_actions
WHERE action_id NOT IN (SELECT id FROM {database}.alert_log WHERE kind = 'action')
ORDER BY at, action_id
LIMIT 1 BY action_id
FORMAT JSONCompactEachRow
