SELECT toString(toUnixTimestamp64Milli(min(applied_at))) AS installation FROM {database}.migrations
FORMAT JSONCompactEachRow
