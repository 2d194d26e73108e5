SELECT
    totals.campaign_id AS campaign_id,
    if(plans.name = '', totals.campaign_id, plans.name) AS name,
    plans.owner AS owner,
    nullIf(alert.state, '') AS alert_state,
    totals.return_ratio AS return_ratio,
    if(plans.campaign_id = '', 2.0, plans.min_return_ratio) AS min_return_ratio,
    totals.cost_minor AS cost_minor,
    totals.return_minor AS return_minor,
    alert.money_at_risk_minor AS money_at_risk_minor
FROM campaign_totals AS totals
LEFT JOIN campaign_plans AS plans ON totals.campaign_id = plans.campaign_id
LEFT JOIN (
    SELECT campaign_id, argMax(state, opened_at) AS state, argMax(money_at_risk_minor, opened_at) AS money_at_risk_minor
    FROM alerts GROUP BY campaign_id
) AS alert ON totals.campaign_id = alert.campaign_id AND totals.run = 'live'
WHERE totals.run = ${run:singlequote}
    AND $__conditionalAll(totals.campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(plans.owner IN (${owner:singlequote}), $owner)
ORDER BY money_at_risk_minor DESC NULLS LAST, cost_minor DESC, campaign_id
