WITH arms AS (
    SELECT
        campaign_id, variant,
        anyIf(is_control, metric = ${outcome:singlequote}) AS is_control,
        anyIf(n, metric = ${outcome:singlequote}) AS customers,
        anyIf(planned_share, metric = ${outcome:singlequote}) AS planned_share,
        anyIf(ended, metric = ${outcome:singlequote}) AS ended,
        anyIf(customers_left_out, metric = ${outcome:singlequote}) AS left_out,
        anyIf(srm_p, metric = ${outcome:singlequote}) AS srm_p,
        anyIf(srm_sequential_p, metric = ${outcome:singlequote}) AS srm_sequential_p,
        anyIf(ended_mean, metric = 'converted') AS conversion_rate,
        anyIf(ended_mean, metric = 'return') AS return_each_minor,
        anyIf(ended_mean, metric = 'aum') AS aum_each_minor,
        anyIf(ended_mean, metric = 'logins') AS logins_each
    FROM ab_results
    WHERE run = ${run:singlequote} AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
    GROUP BY campaign_id, variant
    HAVING countIf(metric = ${outcome:singlequote}) > 0
)
SELECT
    arms.campaign_id AS campaign_id,
    if(plans.name = '', arms.campaign_id, plans.name) AS name,
    arms.variant AS variant,
    if(arms.is_control, 'control', 'treated') AS arm,
    arms.customers AS customers,
    arms.customers / sum(arms.customers) OVER (PARTITION BY arms.campaign_id) AS share,
    arms.planned_share AS planned_share,
    arms.ended AS ended,
    arms.conversion_rate AS conversion_rate,
    arms.return_each_minor AS return_each_minor,
    arms.aum_each_minor AS aum_each_minor,
    arms.logins_each AS logins_each,
    arms.left_out AS left_out,
    arms.srm_p AS srm_p,
    arms.srm_sequential_p AS srm_sequential_p
FROM arms
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON arms.campaign_id = plans.campaign_id
ORDER BY name, campaign_id, arm = 'treated', variant
LIMIT 400
