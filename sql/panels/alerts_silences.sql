SELECT
    silence_id,
    ifNull(silences.campaign_id, '') AS campaign_id,
    if(empty(ifNull(silences.owner, '')), if(plans.name = '', ifNull(silences.campaign_id, ''), plans.name), '') AS name,
    ifNull(silences.owner, '') AS owner,
    state,
    until,
    by,
    reason,
    changed_at
FROM silences
LEFT JOIN campaign_plans AS plans ON ifNull(silences.campaign_id, '') = plans.campaign_id
WHERE (
        state = 'active'
        OR changed_at >= $__fromTime_ms
            AND (changed_at <= $__toTime_ms OR $__toTime_ms >= (SELECT max(as_of) FROM run_clocks WHERE run = 'live'))
    )
    AND $__conditionalAll(
        (
            silences.campaign_id IN (${campaign:singlequote})
            OR silences.owner IN (SELECT owner FROM campaign_plans WHERE campaign_id IN (${campaign:singlequote}))
        ), $campaign
    )
    AND $__conditionalAll((silences.owner IN (${owner:singlequote}) OR plans.owner IN (${owner:singlequote})), $owner)
ORDER BY state, until DESC, silence_id
