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
    if(users.day < any(clock.today), sum(users.dau), NULL) AS dau,
    sum(users.wau) AS wau,
    sum(users.mau) AS mau,
    sum(users.mau_gross) AS mau_gross
FROM (
    SELECT * FROM active_users
    WHERE run = ${run:singlequote} AND if($__conditionalAll(1 = 0, $tier), tier = '', tier IN (${tier:singlequote}))
) AS users
CROSS JOIN clock
WHERE users.day BETWEEN clock.first_day AND clock.last_day
GROUP BY day
ORDER BY day
