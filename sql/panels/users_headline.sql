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
            day, day < any(clock.today) AS is_over, day BETWEEN any(clock.first_day) AND any(clock.last_day) AS is_shown,
            any(clock.first_day) AS first_day,
            sum(users.dau) AS dau, sum(users.wau) AS wau, sum(users.mau) AS mau, sum(users.mau_gross) AS mau_gross,
            sum(users.reactivated) AS reactivated
        FROM (
            SELECT * FROM active_users
            WHERE run = ${run:singlequote} AND if($__conditionalAll(1 = 0, $tier), tier = '', tier IN (${tier:singlequote}))
        ) AS users
        CROSS JOIN clock
        GROUP BY day
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
    newest AS day,
    avgOrNullIf(days.dau, days.day BETWEEN began AND newest) AS dau_mean,
    avgOrNullIf(days.dau, is_known_before AND days.day BETWEEN began_before AND newest_before) AS dau_mean_before,
    anyOrNullIf(days.wau, days.day = newest) AS wau,
    anyOrNullIf(days.wau, is_known_before AND days.day = newest_before) AS wau_before,
    anyOrNullIf(days.mau, days.day = newest) AS mau,
    anyOrNullIf(days.mau, is_known_before AND days.day = newest_before) AS mau_before,
    anyOrNullIf(days.mau_gross, days.day = newest) AS mau_gross,
    anyOrNullIf(days.mau_gross, is_known_before AND days.day = newest_before) AS mau_gross_before,
    mau_gross - mau AS zombies,
    mau_gross_before - mau_before AS zombies_before,
    if(mau_gross = 0, NULL, zombies / mau_gross) AS zombie_share,
    if(mau_gross_before = 0, NULL, zombies_before / mau_gross_before) AS zombie_share_before,
    avgOrNullIf(days.dau / days.mau, days.mau > 0 AND days.day BETWEEN began AND newest) AS stickiness_mean,
    avgOrNullIf(days.dau / days.mau, days.mau > 0 AND is_known_before AND days.day BETWEEN began_before AND newest_before) AS stickiness_mean_before,
    sumOrNullIf(days.reactivated, days.day BETWEEN began AND newest) AS reactivated,
    sumOrNullIf(days.reactivated, is_known_before AND days.day BETWEEN began_before AND newest_before) AS reactivated_before,
    anyOrNullIf(days.dau, is_shown AND NOT is_over) AS dau_so_far
FROM spans AS days
WHERE shown_days > 0
GROUP BY newest
