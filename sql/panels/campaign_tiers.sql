WITH
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen,
    parts AS (
        SELECT
            campaign_id, tier AS tier, touches, reached, converters, conversions, cost_minor, return_minor,
            sum(cost_minor) OVER (PARTITION BY campaign_id) AS cost_of_all,
            sum(return_minor) OVER (PARTITION BY campaign_id) AS return_of_all
        FROM campaign_tier_totals
        WHERE run = ${run:singlequote} AND campaign_id IN (SELECT arrayJoin(chosen))
    )
SELECT
    parts.campaign_id AS campaign_id,
    if(plans.name = '', parts.campaign_id, plans.name) AS name,
    parts.tier AS tier,
    parts.touches AS touches,
    parts.reached AS reached,
    parts.converters AS converters,
    if(parts.reached = 0, NULL, parts.converters / parts.reached) AS conversion_rate,
    parts.cost_minor AS cost_minor,
    parts.return_minor AS return_minor,
    if(parts.cost_minor = 0, NULL, parts.return_minor / parts.cost_minor) AS return_ratio,
    if(parts.cost_of_all = parts.cost_minor, NULL,
       (parts.return_of_all - parts.return_minor) / (parts.cost_of_all - parts.cost_minor)) AS ratio_without
FROM parts
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON parts.campaign_id = plans.campaign_id
ORDER BY name, cost_minor DESC, tier
LIMIT 200
