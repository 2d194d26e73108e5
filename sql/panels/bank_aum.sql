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
            period_kind, period_start,
            sumIf(costs.aum_minor, channel_class = 'all') AS aum_minor,
            sumIf(costs.cost_minor, channel_class = 'all') AS cost_minor,
            anyOrNullIf(costs.cost_per_10k_aum_minor, channel_class = 'all') AS cost_per_10k_aum_minor,
            anyOrNullIf(costs.cost_per_10k_aum_minor, channel_class = 'online') AS online_cost_per_10k_aum_minor,
            anyOrNullIf(costs.cost_per_10k_aum_minor, channel_class = 'counter') AS counter_cost_per_10k_aum_minor,
            min(costs.counted_at) AS counted_at
        FROM board_campaign_aum_costs AS costs
        WHERE run = ${run:singlequote} AND campaign_id = ''
        GROUP BY period_kind, period_start
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
            lagInFrame((period_start, aum_minor, cost_minor, cost_per_10k_aum_minor, online_cost_per_10k_aum_minor, counter_cost_per_10k_aum_minor)) OVER (
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
    aum_minor,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.2) AS aum_minor_before,
    cost_minor,
    if(elapsed_share < 1 OR before.1 != start_before, NULL, before.3) AS cost_minor_before,
    cost_per_10k_aum_minor,
    if(before.1 != start_before, NULL, before.4) AS cost_per_10k_aum_minor_before,
    online_cost_per_10k_aum_minor,
    if(before.1 != start_before, NULL, before.5) AS online_cost_per_10k_aum_minor_before,
    counter_cost_per_10k_aum_minor,
    if(before.1 != start_before, NULL, before.6) AS counter_cost_per_10k_aum_minor_before,
    counted_at
FROM periods
CROSS JOIN clock
WHERE period_start <= last_day AND next_start > first_day
ORDER BY indexOf(['month', 'quarter', 'year'], period_kind), period_start DESC
