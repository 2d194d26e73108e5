-- of the campaigns that ended at or above their limit, the share that each rule has fired on by the end of each day of their lives
WITH
    settled AS (
        SELECT
            toString(rule) AS rule, any(place) AS place, count() AS campaigns,
            groupArrayIf(hours_to_fire, hours_to_fire IS NOT NULL) AS hours
        FROM backtest_campaigns
        WHERE name = if(${backtest:singlequote} = '', (SELECT argMax(name, (kept_at, name)) FROM backtest_rules), ${backtest:singlequote})
            AND settled_ratio >= min_return_ratio
        GROUP BY rule
    ),
    (SELECT least(ceil(max(arrayMax(arrayConcat(hours, [0]))) / 24), 366) FROM settled) AS longest
SELECT
    day AS day,
    settled.rule AS rule,
    arrayCount(hour -> hour <= day * 24, settled.hours) / settled.campaigns AS share
FROM settled
ARRAY JOIN range(toUInt32(longest) + 1) AS day
ORDER BY settled.place, day
LIMIT 5000
