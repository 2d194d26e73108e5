-- What the demo's table shows: running campaigns, those with an open alert first, then the most expensive.
WITH current AS (
    SELECT campaign_id, argMax((state, matured_share, decision), changed_at) AS latest
    FROM {database}.alerts
    GROUP BY campaign_id
)
SELECT
    totals.campaign_id AS campaign_id,
    plans.name AS name,
    totals.reached AS reached, totals.converters AS converters,
    totals.cost_minor AS cost_minor, totals.return_minor AS return_minor, totals.return_ratio AS return_ratio,
    current.latest.1 AS alert_state, current.latest.2 AS matured_share, current.latest.3 AS decision
FROM {database}.campaign_totals AS totals
LEFT JOIN {database}.campaign_plans AS plans ON totals.campaign_id = plans.campaign_id
LEFT JOIN current ON totals.campaign_id = current.campaign_id
WHERE totals.run = 'live'
  AND ifNull(plans.ends_at > now64(3), 1)
ORDER BY
    indexOf(['pending', 'blocked', 'decided', 'acknowledged', 'firing'], alert_state) DESC, cost_minor DESC, campaign_id
