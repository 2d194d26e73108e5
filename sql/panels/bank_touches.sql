WITH
    clock AS (
        SELECT
            today,
            toDate(formatDateTime($__fromTime, '%F', zone)) AS first_day,
            toDate(formatDateTime($__toTime, '%F', zone)) AS last_day
        FROM run_clocks
        WHERE run = ${run:singlequote}
    ),
    figures AS (
        SELECT
            reach.period_kind AS period_kind, reach.period_start AS period_start,
            reach.reached AS reached, reach.automated_only AS automated_only,
            reach.automated_reach_share AS automated_reach_share,
            clicks.recommended_sends AS recommended_sends, clicks.recommended_click_rate AS recommended_click_rate,
            clicks.other_sends AS other_sends, clicks.other_click_rate AS other_click_rate,
            reach.counted_at AS counted_at
        FROM (
            SELECT period_kind, period_start, reached, automated_only, automated_reach_share, counted_at
            FROM board_campaign_automation
            WHERE run = ${run:singlequote} AND campaign_id = ''
        ) AS reach
        LEFT JOIN (
            SELECT
                period_kind, period_start,
                sumIf(sends, recommended) AS recommended_sends,
                anyOrNullIf(customer_click_through_rate, recommended) AS recommended_click_rate,
                sumIf(sends, NOT recommended) AS other_sends,
                anyOrNullIf(customer_click_through_rate, NOT recommended) AS other_click_rate
            FROM board_campaign_recommendations
            WHERE run = ${run:singlequote} AND campaign_id = ''
            GROUP BY period_kind, period_start
        ) AS clicks ON reach.period_kind = clicks.period_kind AND reach.period_start = clicks.period_start
    ),
    periods AS (
        SELECT
            *,
            multiIf(
                period_kind = 'month', addMonths(toDate32(period_start), 1),
                period_kind = 'quarter', addQuarters(toDate32(period_start), 1),
                addYears(toDate32(period_start), 1)
            ) AS next_start,
            multiIf(
                period_kind = 'month', addMonths(toDate32(period_start), -1),
                period_kind = 'quarter', addQuarters(toDate32(period_start), -1),
                addYears(toDate32(period_start), -1)
            ) AS start_before,
            lagInFrame((period_start, reached, automated_only, automated_reach_share, recommended_sends, recommended_click_rate, other_sends, other_click_rate)) OVER (
                PARTITION BY period_kind ORDER BY period_start ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS before
        FROM figures
    )
SELECT
    multiIf(
        period_kind = 'month', formatDateTime(period_start, '%Y-%m'),
        period_kind = 'quarter', concat(toString(toYear(period_start)), ' Q', toString(toQuarter(period_start))),
        toString(toYear(period_start))
    ) AS period,
    least(1., greatest(0., dateDiff('day', toDate32(period_start), toDate32(today)) / dateDiff('day', toDate32(period_start), next_start))) AS elapsed_share,
    reached,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.2) AS reached_before,
    automated_only,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.3) AS automated_only_before,
    automated_reach_share,
    if(before.1 != start_before, NULL, before.4) AS automated_reach_share_before,
    recommended_sends,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.5) AS recommended_sends_before,
    recommended_click_rate,
    if(before.1 != start_before, NULL, before.6) AS recommended_click_rate_before,
    other_sends,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.7) AS other_sends_before,
    other_click_rate,
    if(before.1 != start_before, NULL, before.8) AS other_click_rate_before,
    counted_at
FROM periods
CROSS JOIN clock
WHERE period_start <= last_day AND next_start > first_day
ORDER BY indexOf(['month', 'quarter', 'year'], period_kind), period_start DESC
