SELECT
    began AS time,
    ended AS timeEnd,
    concat(name, ': ', state) AS title,
    if(note = '', ifNull(by, ''), concat(ifNull(by, ''), ' ', note)) AS text,
    state AS tags
FROM (
    SELECT
        changes.changed_at AS began,
        leadInFrame(changes.changed_at, 1, now64(3)) OVER (
            PARTITION BY changes.alert_id ORDER BY changes.changed_at, changes.change_id
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS ended,
        changes.state AS state,
        changes.by AS by,
        changes.note AS note,
        if(plans.name = '', changes.campaign_id, plans.name) AS name
    FROM alert_changes AS changes
    LEFT JOIN campaign_plans AS plans ON changes.campaign_id = plans.campaign_id
    WHERE ${run:singlequote} = 'live'
        AND changes.state != changes.previous_state
        AND $__conditionalAll(changes.campaign_id IN (${campaign:singlequote}), $campaign)
)
WHERE state IN ('firing', 'acknowledged', 'decided') AND began <= $__toTime AND ended >= $__fromTime
ORDER BY time
