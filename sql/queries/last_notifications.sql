-- When each receiver got its newest message, by wall clock.
SELECT JSONExtractString(body, 'receiver') AS receiver, max(JSONExtractInt(body, 'sent_ms')) AS sent_ms
FROM {database}.alert_log FINAL
WHERE kind = 'notification' AND state = 'sent' AND JSONExtractString(body, 'message_type') != 'test'
GROUP BY receiver
FORMAT JSONCompactEachRow
