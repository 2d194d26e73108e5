WITH
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen
SELECT
    if(plans.name = '', costs.campaign_id, plans.name) AS name,
    costs.category AS category,
    costs.cost_minor AS cost_minor,
    costs.cost_share AS cost_share,
    costs.entries AS entries
FROM campaign_costs AS costs
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON costs.campaign_id = plans.campaign_id
WHERE costs.run = ${run:singlequote} AND costs.campaign_id IN (SELECT arrayJoin(chosen))
ORDER BY name, cost_minor DESC, category
LIMIT 200
