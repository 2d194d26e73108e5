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
        SELECT period_kind, period_start, high_value_customers, high_value_covered, high_value_coverage, long_tail_customers, long_tail_activated, long_tail_activation_rate, counted_at
        FROM board_customer_figures
        WHERE run = ${run:singlequote}
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
            lagInFrame((period_start, high_value_customers, high_value_covered, high_value_coverage, long_tail_customers, long_tail_activated, long_tail_activation_rate)) OVER (
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
    high_value_customers,
    high_value_covered,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.3) AS high_value_covered_before,
    high_value_coverage,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.4) AS high_value_coverage_before,
    long_tail_customers,
    if(before.1 != start_before, NULL, before.5) AS long_tail_customers_before,
    long_tail_activated,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.6) AS long_tail_activated_before,
    long_tail_activation_rate,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.7) AS long_tail_activation_rate_before,
    counted_at
FROM periods
CROSS JOIN clock
WHERE period_start <= last_day AND next_start > first_day
ORDER BY indexOf(['month', 'quarter', 'year'], period_kind), period_start DESC
