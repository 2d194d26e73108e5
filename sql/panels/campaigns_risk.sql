SELECT
    countIf(state IN ('firing', 'acknowledged', 'decided')) AS open_alerts,
    countIf(state = 'firing') AS unanswered_alerts,
    sumOrNullIf(money_at_risk_minor, state NOT IN ('immature', 'blocked')) AS money_at_risk_minor,
    countIf(state = 'pending') AS pending_alerts,
    countIf(state = 'blocked') AS blocked_campaigns,
    countIf(state = 'immature') AS immature_campaigns
FROM campaign_alerts
WHERE ${run:singlequote} = 'live'
    AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(campaign_id IN (SELECT campaign_id FROM campaign_plans WHERE owner IN (${owner:singlequote})), $owner)
HAVING ${run:singlequote} = 'live'
