WITH
    (SELECT if(any(zone) = '', 'UTC', any(zone)) FROM runs FINAL WHERE run = ${run:singlequote}) AS zone,
    (SELECT toUnixTimestamp64Milli(as_of) FROM run_clocks WHERE run = ${run:singlequote}) AS now_ms,
    toDate($__toTime, zone) AS last_day,
    days AS (
        SELECT
            campaign_id,
            max(day) >= toDate($__fromTime, zone) AS is_active,
            groupArray((day, if(cost_minor = 0, NULL, round(return_minor / cost_minor, 4)))) AS ratios,
            arrayMap(back -> ratios.2[indexOf(ratios.1, last_day - back)], reverse(range(30))) AS trend
        FROM campaign_days
        WHERE run = ${run:singlequote} AND day <= last_day AND day >= least(last_day - 29, toDate($__fromTime, zone))
        GROUP BY campaign_id
    )
SELECT
    totals.campaign_id AS campaign_id,
    if(plans.name = '', totals.campaign_id, plans.name) AS name,
    multiIf(
        alert.state = 'firing', 'act',
        alert.state = 'acknowledged', 'decide',
        alert.state IN ('decided', 'blocked', 'immature', 'pending'), alert.state,
        totals.cost_minor = 0, 'no_cost',
        return_ratio >= min_return_ratio, 'reached',
        'below'
    ) AS standing,
    if(alert.state IN ('immature', 'blocked'), NULL, alert.money_at_risk_minor) AS money_at_risk_minor,
    if(totals.cost_minor = 0, NULL, totals.return_minor / totals.cost_minor) AS return_ratio,
    multiIf(plans.campaign_id != '', plans.min_return_ratio, alert.alert_id != '', alert.min_return_ratio, 2.0) AS min_return_ratio,
    alert.forecast_ratio AS forecast_ratio,
    alert.forecast_low AS forecast_low,
    alert.forecast_high AS forecast_high,
    alert.matured_share AS matured_share,
    days.trend AS trend,
    nullIf(alert.reason_en, '') AS reason_en,
    nullIf(alert.reason_zh, '') AS reason_zh,
    if(plans.budget_minor = 0, NULL, totals.cost_minor / plans.budget_minor) AS spent_share,
    if(plans.ends_at > plans.starts_at AND now_ms IS NOT NULL,
       greatest(0, least(1, (now_ms - toUnixTimestamp64Milli(plans.starts_at))
                            / (toUnixTimestamp64Milli(plans.ends_at) - toUnixTimestamp64Milli(plans.starts_at)))),
       NULL) AS elapsed_share,
    totals.cost_minor AS cost_minor,
    totals.return_minor AS return_minor,
    totals.converters AS converters,
    nullIf(alert.state, '') AS alert_state,
    plans.owner AS owner
FROM (
    SELECT campaign_id, sum(cost_minor) AS cost_minor, sum(return_minor) AS return_minor, sum(converters) AS converters
    FROM named_cells
    WHERE run = ${run:singlequote} AND family = 'tier' AND decides
    GROUP BY campaign_id
) AS totals
LEFT JOIN days ON totals.campaign_id = days.campaign_id
LEFT JOIN (SELECT campaign_id, name, owner, min_return_ratio, budget_minor, starts_at, ends_at FROM run_plans WHERE run = ${run:singlequote}) AS plans ON totals.campaign_id = plans.campaign_id
LEFT JOIN campaign_alerts AS alert ON totals.campaign_id = alert.campaign_id AND ${run:singlequote} = 'live'
WHERE (days.is_active OR alert.state IN ('firing', 'acknowledged', 'decided'))
    AND $__conditionalAll(totals.campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(plans.owner IN (${owner:singlequote}), $owner)
ORDER BY standing IN ('act', 'decide') DESC, money_at_risk_minor DESC NULLS LAST, cost_minor DESC, campaign_id
LIMIT 500
