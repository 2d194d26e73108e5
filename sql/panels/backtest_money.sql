SELECT toString(rule) AS rule, spend_avoided_minor, return_forgone_minor, gain_at_limit_minor
FROM backtest_rules
WHERE name = if(${backtest:singlequote} = '', (SELECT argMax(name, (kept_at, name)) FROM backtest_rules), ${backtest:singlequote})
ORDER BY place
LIMIT 20
