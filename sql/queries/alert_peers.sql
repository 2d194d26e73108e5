-- The newest library of every product, source and attribution window.
SELECT product, source, argMax(campaigns, version), argMax(customers, version), argMax(body, version) AS newest,
    toUnixTimestamp64Milli(argMax(learnt_at, version)), max(version)
FROM {database}.alert_peers
GROUP BY product, source, JSONExtractFloat(body, 'window_hours')
ORDER BY product, source, newest
FORMAT JSONCompactEachRow
