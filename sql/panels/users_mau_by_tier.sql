WITH
    clock AS (
        SELECT
            toDate(formatDateTime($__fromTime, '%F', zone)) AS first_day,
            toDate(formatDateTime($__toTime, '%F', zone)) AS last_day
        FROM run_clocks
        WHERE run = ${run:singlequote}
    )
SELECT users.day AS day, toString(users.tier) AS tier, users.mau AS mau
FROM (
    SELECT day, tier, mau FROM active_users
    WHERE run = ${run:singlequote} AND tier != '' AND $__conditionalAll(tier IN (${tier:singlequote}), $tier)
) AS users
CROSS JOIN clock
WHERE users.day BETWEEN clock.first_day AND clock.last_day
ORDER BY day, tier
