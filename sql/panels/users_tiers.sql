WITH
    clock AS (
        SELECT
            today,
            toDate(formatDateTime($__fromTime, '%F', zone)) AS first_day,
            toDate(formatDateTime($__toTime, '%F', zone)) AS last_day
        FROM run_clocks
        WHERE run = ${run:singlequote}
    ),
    days AS (
        SELECT
            users.*, users.day < clock.today AS is_over,
            users.day BETWEEN clock.first_day AND clock.last_day AS is_shown, clock.first_day AS first_day
        FROM (
            SELECT * FROM active_users
            WHERE run = ${run:singlequote} AND tier != '' AND $__conditionalAll(tier IN (${tier:singlequote}), $tier)
        ) AS users
        CROSS JOIN clock
    ),
    -- by windows over the days: a second use of them would count them a second time
    spans AS (
        SELECT
            *, argMaxIf(day, (is_over, day), is_shown) OVER () AS newest,
            any(first_day) OVER () AS began,
            began - 1 AS newest_before,
            newest_before - dateDiff('day', began, newest) AS began_before,
            min(day) OVER () <= began_before AS is_known_before,
            countIf(is_shown) OVER () AS shown_days
        FROM days
    )
SELECT
    toString(days.tier) AS tier,
    avgOrNullIf(days.dau, days.day BETWEEN began AND newest) AS dau_mean,
    anyOrNullIf(days.wau, days.day = newest) AS wau,
    anyOrNullIf(days.mau, days.day = newest) AS mau,
    anyOrNullIf(days.mau, is_known_before AND days.day = newest_before) AS mau_before,
    anyOrNullIf(days.mau_gross, days.day = newest) AS mau_gross,
    mau_gross - mau AS zombies,
    if(mau_gross = 0, NULL, zombies / mau_gross) AS zombie_share,
    avgOrNullIf(days.dau / days.mau, days.mau > 0 AND days.day BETWEEN began AND newest) AS stickiness_mean,
    sumOrNullIf(days.reactivated, days.day BETWEEN began AND newest) AS reactivated
FROM spans AS days
WHERE shown_days > 0
GROUP BY days.tier
ORDER BY mau DESC, tier
