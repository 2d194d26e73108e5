SELECT
    tier,
    sum(cost_minor) AS cost_minor,
    sum(return_minor) AS return_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio
FROM campaign_tier_totals
WHERE run = ${run:singlequote} AND tier != ''
    AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(campaign_id IN (SELECT campaign_id FROM run_plans WHERE run = ${run:singlequote} AND owner IN (${owner:singlequote})), $owner)
GROUP BY tier ORDER BY cost_minor DESC, tier LIMIT 30
