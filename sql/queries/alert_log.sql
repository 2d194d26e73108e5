-- What the deciding instance goes on from: all alerts and silences in force, and what still waits to be sent.
SELECT kind, id, alert_id, campaign_id, state, toUnixTimestamp64Milli(at) AS at_ms, body
FROM {database}.alert_log FINAL
WHERE (kind, id) IN (
    SELECT kind, id FROM {database}.alert_log FINAL
    WHERE kind = 'alert'
       OR (kind = 'silence' AND state = 'active')
       OR (kind IN ('message', 'notification') AND state = 'waiting'))
ORDER BY kind, at_ms, id
FORMAT JSONCompactEachRow
