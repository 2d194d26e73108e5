WITH results AS (
    SELECT *, nullIf(abs(anyIf(ended_mean, is_control) OVER (PARTITION BY campaign_id)), 0) AS base,
        anyIf(ended, is_control) OVER (PARTITION BY campaign_id) AS kept
    FROM ab_results
    WHERE run = ${run:singlequote} AND metric = ${outcome:singlequote}
        AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
)
SELECT
    results.campaign_id AS campaign_id,
    if(plans.name = '', results.campaign_id, plans.name) AS name,
    results.variant AS variant,
    results.relevant_lift / results.base AS relevant_lift,
    results.detectable_lift / results.base AS detectable_lift,
    results.ended + results.kept AS ended,
    results.customers_needed AS customers_needed,
    results.customers_needed_once AS customers_needed_once,
    results.days_to_decision AS days_to_decision
FROM results
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON results.campaign_id = plans.campaign_id
WHERE NOT results.is_control
ORDER BY name, campaign_id, variant
LIMIT 400
