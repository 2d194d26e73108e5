-- What people asked to be done about one alert and what became of it, oldest first; no outcome: nobody has applied it yet.
SELECT
    asked.action_id AS action_id, asked.action AS action, asked.by AS by, asked.body AS body, asked.at AS at,
    if(done.id = '', 'waiting', done.state) AS state, JSONExtractString(done.body, 'why') AS why
FROM {database}.alert_actions AS asked
LEFT JOIN (SELECT id, state, body FROM {database}.alert_log FINAL WHERE kind = 'action') AS done ON done.id = asked.action_id
WHERE asked.alert_id = {alert:String}
ORDER BY at, action_id
LIMIT 1 BY action_id
