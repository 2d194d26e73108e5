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
        SELECT period_kind, period_start, payments, payments_amount_minor, cross_bank_share, cross_bank_amount_share, wealth_purchases, wealth_amount_minor, wealth_online_share, wealth_online_amount_share, counted_at
        FROM board_transaction_figures
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
            lagInFrame((period_start, payments, payments_amount_minor, cross_bank_share, cross_bank_amount_share, wealth_purchases, wealth_amount_minor, wealth_online_share, wealth_online_amount_share)) OVER (
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
    payments,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.2) AS payments_before,
    payments_amount_minor,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.3) AS payments_amount_minor_before,
    cross_bank_share,
    if(before.1 != start_before, NULL, before.4) AS cross_bank_share_before,
    cross_bank_amount_share,
    if(before.1 != start_before, NULL, before.5) AS cross_bank_amount_share_before,
    wealth_purchases,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.6) AS wealth_purchases_before,
    wealth_amount_minor,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.7) AS wealth_amount_minor_before,
    wealth_online_share,
    if(before.1 != start_before, NULL, before.8) AS wealth_online_share_before,
    wealth_online_amount_share,
    if(before.1 != start_before, NULL, before.9) AS wealth_online_amount_share_before,
    counted_at
FROM periods
CROSS JOIN clock
WHERE period_start <= last_day AND next_start > first_day
ORDER BY indexOf(['month', 'quarter', 'year'], period_kind), period_start DESC
