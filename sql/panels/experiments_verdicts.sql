-- a lift as a share of the control's mean: comparable between outcomes
SELECT
    result.campaign_id AS campaign_id,
    if(plans.name = '', result.campaign_id, plans.name) AS name,
    result.variant AS variant,
    toString(result.metric) AS outcome,
    toString(assumeNotNull(result.decision)) AS decision,
    result.ended_lift / result.base AS lift,
    result.always_low / result.base AS lift_low,
    result.always_high / result.base AS lift_high,
    result.always_valid_q AS p_value,
    result.days_to_decision AS days_to_decision,
    result.verdict AS verdict_en,
    result.verdict_zh AS verdict_zh,
    result.caveats AS caveats_en,
    result.caveats_zh AS caveats_zh
FROM (
    SELECT *, nullIf(abs(anyIf(ended_mean, is_control) OVER (PARTITION BY campaign_id, metric)), 0) AS base
    FROM ab_results
    WHERE run = ${run:singlequote} AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
) AS result
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON result.campaign_id = plans.campaign_id
WHERE NOT result.is_control
ORDER BY indexOf(['invalid', 'better', 'worse', 'no_difference', 'too_early'], decision), name, campaign_id,
    indexOf(['converted', 'return', 'aum', 'logins'], outcome), variant
LIMIT 400
