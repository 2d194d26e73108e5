SELECT
    rule AS rule,
    spend_avoided_minor, return_given_up_minor, return_forgone_minor, spend_not_made_minor, gain_at_limit_minor,
    gain_at_limit_minor - anyIf(gain_at_limit_minor, rule = 'plain') OVER () AS beyond_plain_minor,
    fired, fired_rightly, fired_wrongly, fired_too_late,
    precision AS precision,
    recall AS recall,
    median_hours_to_fire / 24 AS days_to_fire
FROM backtest_rules
WHERE name = if(${backtest:singlequote} = '', (SELECT argMax(name, (kept_at, name)) FROM backtest_rules), ${backtest:singlequote})
ORDER BY place
LIMIT 200
