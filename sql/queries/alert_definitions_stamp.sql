-- changes with every definition that is written
SELECT count(), max(version), toUnixTimestamp64Milli(max(updated_at)) FROM {database}.campaign_log
FORMAT JSONCompactEachRow
