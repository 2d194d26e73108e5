-- the newest alert of each campaign where it asks for somebody, those with the most money at risk first
SELECT
    campaign_id, argMax(campaign_name, opened_at) AS name, argMax(alerts.state, opened_at) AS state,
    argMax(return_ratio, opened_at) AS return_ratio, argMax(upper_bound, opened_at) AS upper_bound,
    argMax(JSONExtractFloat(record, 'rule', 'min_return_ratio'), opened_at) AS required_ratio,
    argMax(money_at_risk_minor, opened_at) AS money_at_risk_minor
FROM {database}.alerts
GROUP BY campaign_id
HAVING state IN ('pending', 'firing', 'acknowledged', 'blocked')
ORDER BY money_at_risk_minor DESC NULLS LAST, campaign_id
