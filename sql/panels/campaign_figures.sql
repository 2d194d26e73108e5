WITH
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen
SELECT
    totals.campaign_id AS campaign_id,
    if(plans.name = '', totals.campaign_id, plans.name) AS name,
    if(totals.cost_minor = 0, NULL, totals.return_minor / totals.cost_minor) AS return_ratio,
    multiIf(plans.campaign_id != '', plans.min_return_ratio, alert.alert_id != '', alert.min_return_ratio, 2.0) AS min_return_ratio,
    alert.forecast_ratio AS forecast_ratio,
    alert.forecast_low AS forecast_low,
    alert.forecast_high AS forecast_high,
    alert.matured_share AS matured_share,
    nullIf(alert.state, '') AS alert_state,
    if(alert.state IN ('immature', 'blocked'), NULL, alert.money_at_risk_minor) AS money_at_risk_minor,
    totals.cost_minor AS cost_minor,
    totals.return_minor AS return_minor,
    if(totals.cost_minor = 0, NULL, (totals.return_minor - totals.cost_minor) / totals.cost_minor) AS net_roi,
    totals.reached AS reached,
    totals.converters AS converters,
    if(totals.reached = 0, NULL, totals.converters / totals.reached) AS conversion_rate,
    if(totals.converters = 0, NULL, totals.cost_minor / totals.converters) AS cpa_minor,
    totals.aum_minor AS aum_minor
FROM (
    SELECT campaign_id, sum(reached) AS reached, sum(converters) AS converters, sum(cost_minor) AS cost_minor, sum(return_minor) AS return_minor, sum(aum_minor) AS aum_minor
    FROM named_cells
    WHERE run = ${run:singlequote} AND family = 'tier' AND decides AND campaign_id IN (SELECT arrayJoin(chosen))
    GROUP BY campaign_id
) AS totals
LEFT JOIN (SELECT campaign_id, name, min_return_ratio FROM run_plans WHERE run = ${run:singlequote}) AS plans ON totals.campaign_id = plans.campaign_id
LEFT JOIN campaign_alerts AS alert ON totals.campaign_id = alert.campaign_id AND ${run:singlequote} = 'live'
ORDER BY cost_minor DESC, campaign_id
