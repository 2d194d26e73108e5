SELECT
    outcomes.alert_id AS alert_id,
    outcomes.campaign_id AS campaign_id,
    decided_at,
    if(plans.name = '', outcomes.campaign_id, plans.name) AS name,
    plans.owner AS owner,
    decision,
    decided_by,
    approved_by,
    note,
    days_so_far,
    ratio_before,
    ratio_after,
    cost_before_minor,
    cost_after_minor,
    spend_avoided_minor
FROM decision_outcomes AS outcomes
LEFT JOIN campaign_plans AS plans ON outcomes.campaign_id = plans.campaign_id
WHERE decided_at >= $__fromTime_ms
    AND (decided_at <= $__toTime_ms OR $__toTime_ms >= (SELECT max(as_of) FROM run_clocks WHERE run = 'live'))
    AND $__conditionalAll(outcomes.campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(plans.owner IN (${owner:singlequote}), $owner)
ORDER BY decided_at DESC, alert_id
