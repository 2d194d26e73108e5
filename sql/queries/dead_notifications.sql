SELECT kind, id, alert_id, campaign_id, state, toUnixTimestamp64Milli(at) AS at_ms, body
FROM {database}.alert_log FINAL
WHERE (kind, id) IN (
    SELECT kind, id FROM {database}.alert_log FINAL WHERE kind = 'notification' AND state = 'dead')
ORDER BY at_ms, id
FORMAT JSONCompactEachRow
