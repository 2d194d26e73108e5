SELECT name AS value, name AS text
FROM backtest_rules
GROUP BY name
ORDER BY max(kept_at) DESC, name
LIMIT 500
