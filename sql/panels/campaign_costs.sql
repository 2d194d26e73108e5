WITH
    chosen AS (
        SELECT campaign_id FROM segment_totals
        WHERE run = ${run:singlequote} AND segment = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(cost_minor) DESC, campaign_id LIMIT 5
    )
SELECT
    if(plans.name = '', costs.campaign_id, plans.name) AS name,
    costs.category AS category,
    costs.cost_minor AS cost_minor,
    costs.cost_share AS cost_share,
    costs.entries AS entries
FROM campaign_costs AS costs
LEFT JOIN (SELECT * FROM run_plans WHERE run = ${run:singlequote}) AS plans ON costs.campaign_id = plans.campaign_id
WHERE costs.run = ${run:singlequote} AND costs.campaign_id IN (SELECT campaign_id FROM chosen)
ORDER BY name, cost_minor DESC, category
LIMIT 200
