WITH results AS (
    SELECT * FROM ab_results
    WHERE run = ${run:singlequote} AND metric = ${outcome:singlequote} AND NOT is_control
        AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
)
SELECT
    results.campaign_id AS campaign_id,
    if(plans.name = '', results.campaign_id, plans.name) AS name,
    results.variant AS variant,
    results.incremental_return_minor AS incremental_return_minor,
    results.incremental_return_low AS incremental_return_low,
    results.incremental_return_high AS incremental_return_high,
    results.incremental_cost_minor AS incremental_cost_minor,
    results.incremental_roi AS incremental_roi,
    results.attributed_return_minor AS attributed_return_minor,
    results.cost_minor AS cost_minor,
    results.attributed_roi AS attributed_roi
FROM results
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON results.campaign_id = plans.campaign_id
ORDER BY results.cost_minor DESC, name, campaign_id, variant
LIMIT 400
