SELECT
    count() AS decisions,
    countIf(decision = 'stop') AS stops,
    countIf(decision = 'optimise') AS optimisations,
    countIf(decision = 'continue') AS continuations,
    countIf(days_so_far >= 7) AS settled,
    sumOrNull(spend_avoided_minor) AS spend_avoided_minor
FROM decision_outcomes AS outcomes
LEFT JOIN campaign_plans AS plans ON outcomes.campaign_id = plans.campaign_id
WHERE decided_at >= $__fromTime_ms
    AND (decided_at <= $__toTime_ms OR $__toTime_ms >= (SELECT max(as_of) FROM run_clocks WHERE run = 'live'))
    AND $__conditionalAll(outcomes.campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(plans.owner IN (${owner:singlequote}), $owner)
HAVING decisions > 0
