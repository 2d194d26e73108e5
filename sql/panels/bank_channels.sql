WITH
    clock AS (
        SELECT
            today,
            toDate(formatDateTime($__fromTime, '%F', zone)) AS first_day,
            toDate(formatDateTime($__toTime, '%F', zone)) AS last_day
        FROM run_clocks
        WHERE run = ${run:singlequote}
    )
SELECT formatDateTime(period_start, '%Y-%m') AS period, channel, channel_class, transactions, transaction_share, amount_minor, amount_share, counted_at
FROM (
    SELECT period_start, channel, channel_class, transactions, transaction_share, amount_minor, amount_share, counted_at, max(period_start) OVER () AS newest
    FROM (
        SELECT * FROM board_channel_mix
        WHERE run = ${run:singlequote} AND period_kind = 'month'
    ) AS months
    CROSS JOIN clock
    WHERE period_start <= last_day AND addMonths(toDate32(period_start), 1) > first_day
)
WHERE period_start = newest
ORDER BY transactions DESC, channel
