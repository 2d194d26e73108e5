SELECT campaign_id, definition, version FROM {database}.campaign_log FINAL
FORMAT JSONCompactEachRow
