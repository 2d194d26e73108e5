SELECT DISTINCT run FROM {database}.runs FINAL ORDER BY run FORMAT JSONCompactEachRow
