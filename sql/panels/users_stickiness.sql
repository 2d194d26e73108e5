WITH
    clock AS (
        SELECT
            today,
            toDate(formatDateTime($__fromTime, '%F', zone)) AS first_day,
            toDate(formatDateTime($__toTime, '%F', zone)) AS last_day
        FROM run_clocks
        WHERE run = ${run:singlequote}
    )
SELECT
    users.day AS day,
    if(sum(users.mau) = 0, NULL, sum(users.dau) / sum(users.mau)) AS stickiness,
    if(sum(users.mau_gross) = 0, NULL, (sum(users.mau_gross) - sum(users.mau)) / sum(users.mau_gross)) AS zombie_share
FROM (
    SELECT * FROM active_users
    WHERE run = ${run:singlequote} AND if($__conditionalAll(1 = 0, $tier), tier = '', tier IN (${tier:singlequote}))
) AS users
CROSS JOIN clock
WHERE users.day BETWEEN clock.first_day AND clock.last_day AND users.day < clock.today
GROUP BY day
ORDER BY day
