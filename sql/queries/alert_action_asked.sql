-- What was asked for under one id, the first time.
SELECT action, alert_id, body
FROM {database}.alert_actions
WHERE action_id = {action:String}
ORDER BY at
LIMIT 1
