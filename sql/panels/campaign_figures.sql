WITH
    chosen AS (
        SELECT campaign_id FROM segment_totals
        WHERE run = ${run:singlequote} AND segment = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(cost_minor) DESC, campaign_id LIMIT 5
    )
SELECT
    totals.campaign_id AS campaign_id,
    if(plans.name = '', totals.campaign_id, plans.name) AS name,
    totals.return_ratio AS return_ratio,
    multiIf(plans.campaign_id != '', plans.min_return_ratio, alert.alert_id != '', alert.min_return_ratio, 2.0) AS min_return_ratio,
    alert.forecast_ratio AS forecast_ratio,
    alert.forecast_low AS forecast_low,
    alert.forecast_high AS forecast_high,
    alert.matured_share AS matured_share,
    nullIf(alert.state, '') AS alert_state,
    alert.money_at_risk_minor AS money_at_risk_minor,
    totals.cost_minor AS cost_minor,
    totals.return_minor AS return_minor,
    totals.net_roi AS net_roi,
    totals.reached AS reached,
    totals.converters AS converters,
    totals.conversion_rate AS conversion_rate,
    totals.cpa_minor AS cpa_minor,
    totals.aum_minor AS aum_minor
FROM campaign_totals AS totals
LEFT JOIN (SELECT * FROM run_plans WHERE run = ${run:singlequote}) AS plans ON totals.campaign_id = plans.campaign_id
LEFT JOIN campaign_alerts AS alert ON totals.campaign_id = alert.campaign_id AND totals.run = 'live'
WHERE totals.run = ${run:singlequote} AND totals.campaign_id IN (SELECT campaign_id FROM chosen)
ORDER BY cost_minor DESC, campaign_id
