WITH
    clock AS (
        SELECT
            today,
            toDate(formatDateTime($__fromTime, '%F', zone)) AS first_day,
            toDate(formatDateTime($__toTime, '%F', zone)) AS last_day
        FROM run_clocks
        WHERE run = ${run:singlequote}
    ),
    plans AS (
        SELECT figure, toString(period_kind) AS period_kind, period_start, assumeNotNull(plans.target) AS target
        FROM figure_plans AS plans FINAL
        WHERE isNotNull(plans.target)
    ),
    actuals AS (
        SELECT period_kind, period_start, told.1 AS figure, told.2 AS unit, told.3 AS whole, told.4 AS share, counted_at
        FROM (SELECT * FROM board_transaction_figures WHERE run = ${run:singlequote})
        ARRAY JOIN [
            ('transactions', 'number', toInt128(transactions), NULL),
            ('amount_minor', 'minor', toInt128(amount_minor), NULL),
            ('online_transactions', 'number', toInt128(online_transactions), NULL),
            ('online_amount_minor', 'minor', toInt128(online_amount_minor), NULL),
            ('online_share', 'share', 0, online_share),
            ('online_amount_share', 'share', 0, online_amount_share),
            ('payments', 'number', toInt128(payments), NULL),
            ('payments_amount_minor', 'minor', toInt128(payments_amount_minor), NULL),
            ('cross_bank_share', 'share', 0, cross_bank_share),
            ('cross_bank_amount_share', 'share', 0, cross_bank_amount_share),
            ('wealth_purchases', 'number', toInt128(wealth_purchases), NULL),
            ('wealth_amount_minor', 'minor', toInt128(wealth_amount_minor), NULL),
            ('wealth_online_share', 'share', 0, wealth_online_share),
            ('wealth_online_amount_share', 'share', 0, wealth_online_amount_share),
            ('scenario_share', 'share', 0, scenario_share)
        ] AS told
        UNION ALL
        SELECT period_kind, period_start, told.1 AS figure, told.2 AS unit, told.3 AS whole, told.4 AS share, counted_at
        FROM (SELECT * FROM board_customer_figures WHERE run = ${run:singlequote})
        ARRAY JOIN [
            ('high_value_coverage', 'share', 0, high_value_coverage),
            ('long_tail_activated', 'number', toInt128(long_tail_activated), NULL),
            ('long_tail_activation_rate', 'share', 0, long_tail_activation_rate)
        ] AS told
        UNION ALL
        SELECT period_kind, period_start, told.1 AS figure, told.2 AS unit, told.3 AS whole, told.4 AS share, counted_at
        FROM (SELECT * FROM board_campaign_new_customers WHERE run = ${run:singlequote} AND campaign_id = '')
        ARRAY JOIN [
            ('new_customers', 'number', toInt128(new_customers), NULL)
        ] AS told
        UNION ALL
        SELECT period_kind, period_start, 'contributed_aum_minor', 'minor', toInt128(aum_minor), NULL, counted_at
        FROM board_campaign_aum_costs
        WHERE run = ${run:singlequote} AND campaign_id = '' AND channel_class = 'all'
        UNION ALL
        SELECT period_kind, period_start, 'automated_reach_share', 'share', toInt128(0), automated_reach_share, counted_at
        FROM board_campaign_automation
        WHERE run = ${run:singlequote} AND campaign_id = ''
    ),
    compared AS (
        SELECT
            plans.figure AS figure, plans.period_kind AS period_kind, plans.period_start AS period_start,
            plans.target AS target, actuals.unit AS unit, actuals.whole AS whole, actuals.share AS share,
            actuals.counted_at AS counted_at,
            multiIf(
                period_kind = 'month', addMonths(toDate32(period_start), 1),
                period_kind = 'quarter', addQuarters(toDate32(period_start), 1),
                addYears(toDate32(period_start), 1)
            ) AS next_start
        FROM actuals
        INNER JOIN plans ON actuals.figure = plans.figure AND actuals.period_kind = plans.period_kind
            AND actuals.period_start = plans.period_start
    )
SELECT
    multiIf(
        period_kind = 'month', formatDateTime(period_start, '%Y-%m'),
        period_kind = 'quarter', concat(toString(toYear(period_start)), ' Q', toString(toQuarter(period_start))),
        toString(toYear(period_start))
    ) AS period,
    figure,
    least(1., greatest(0., dateDiff('day', toDate32(period_start), toDate32(today)) / dateDiff('day', toDate32(period_start), next_start))) AS elapsed_share,
    if(unit = 'minor', whole, NULL) AS amount_minor,
    if(unit = 'minor', toInt128(round(target)), NULL) AS amount_target_minor,
    if(unit = 'number', whole, NULL) AS number,
    if(unit = 'number', toInt128(round(target)), NULL) AS number_target,
    if(unit = 'share', share, NULL) AS share,
    if(unit = 'share', target, NULL) AS share_target,
    if(target = 0, NULL, if(unit = 'share', share, toFloat64(whole)) / target) AS attained_share,
    if(unit = 'share' OR elapsed_share = 0, NULL, attained_share / elapsed_share) AS pace,
    counted_at
FROM compared
CROSS JOIN clock
WHERE period_start <= last_day AND next_start > first_day
ORDER BY indexOf(['month', 'quarter', 'year'], period_kind), period_start DESC, figure
