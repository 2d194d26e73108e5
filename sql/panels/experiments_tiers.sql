WITH results AS (
    SELECT * FROM ab_results
    WHERE run = ${run:singlequote} AND metric = ${outcome:singlequote} AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
)
SELECT
    tiers.campaign_id AS campaign_id,
    if(plans.name = '', tiers.campaign_id, plans.name) AS name,
    tiers.variant AS variant,
    if(tiers.tier = '', '–', tiers.tier) AS tier,
    tiers.ended AS ended,
    tiers.lift / nullIf(abs(tiers.control_mean), 0) AS lift,
    tiers.ci_low / nullIf(abs(tiers.control_mean), 0) AS lift_low,
    tiers.ci_high / nullIf(abs(tiers.control_mean), 0) AS lift_high,
    results.tier_difference_p AS difference_p
FROM ab_tiers AS tiers
INNER JOIN results ON tiers.campaign_id = results.campaign_id AND tiers.metric = results.metric AND tiers.variant = results.variant
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON tiers.campaign_id = plans.campaign_id
WHERE tiers.run = ${run:singlequote}
ORDER BY name, campaign_id, variant, tier
LIMIT 400
