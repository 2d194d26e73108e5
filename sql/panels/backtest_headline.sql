SELECT
    anyIf(campaigns, rule = 'default') AS campaigns,
    anyIf(below_limit, rule = 'default') AS below_limit,
    anyIf(not_settled, rule = 'default') AS not_settled,
    anyIf(gain_at_limit_minor, rule = 'plain') AS plain_gain_minor,
    anyIf(gain_at_limit_minor, rule = 'default') AS default_gain_minor,
    any(from_time) AS from_time,
    any(to_time) AS to_time,
    any(kept_at) AS kept_at
FROM backtest_rules
WHERE name = if(${backtest:singlequote} = '', (SELECT argMax(name, (kept_at, name)) FROM backtest_rules), ${backtest:singlequote})
HAVING count() > 0
