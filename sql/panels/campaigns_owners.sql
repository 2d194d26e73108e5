SELECT
    plans.owner AS owner,
    countIf(alert.state IN ('firing', 'acknowledged', 'decided')) AS open_alerts,
    sumOrNullIf(alert.money_at_risk_minor, alert.state NOT IN ('immature', 'blocked')) AS money_at_risk_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    uniqExact(totals.campaign_id) AS campaigns,
    sum(totals.cost_minor) AS cost_minor,
    sum(totals.return_minor) AS return_minor,
    countIf(alert.state = 'blocked') AS blocked_campaigns,
    countIf(alert.state = 'immature') AS immature_campaigns
FROM (
    SELECT campaign_id, sum(cost_minor) AS cost_minor, sum(return_minor) AS return_minor
    FROM named_cells
    WHERE run = ${run:singlequote} AND family = 'tier' AND decides
    GROUP BY campaign_id
) AS totals
LEFT JOIN (SELECT campaign_id, owner FROM run_plans WHERE run = ${run:singlequote}) AS plans ON totals.campaign_id = plans.campaign_id
LEFT JOIN campaign_alerts AS alert ON totals.campaign_id = alert.campaign_id AND ${run:singlequote} = 'live'
WHERE $__conditionalAll(totals.campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(plans.owner IN (${owner:singlequote}), $owner)
GROUP BY owner ORDER BY money_at_risk_minor DESC NULLS LAST, cost_minor DESC, owner LIMIT 100
