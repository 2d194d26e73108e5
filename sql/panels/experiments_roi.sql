WITH results AS (
    SELECT * FROM ab_results
    WHERE run = ${run:singlequote} AND metric = ${outcome:singlequote} AND NOT is_control
        AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
)
SELECT
    concat(if(plans.name = '', results.campaign_id, plans.name), ' · ', results.variant) AS arm,
    results.incremental_roi AS incremental_roi,
    results.attributed_roi AS attributed_roi
FROM results
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON results.campaign_id = plans.campaign_id
WHERE results.cost_minor > 0
ORDER BY results.cost_minor DESC, arm
LIMIT 12
