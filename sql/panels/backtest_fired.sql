SELECT
    toString(rule) AS rule, fired_rightly, fired_wrongly,
    below_limit - fired_rightly AS missed
FROM backtest_rules
WHERE name = if(${backtest:singlequote} = '', (SELECT argMax(name, (kept_at, name)) FROM backtest_rules), ${backtest:singlequote})
ORDER BY place
LIMIT 20
