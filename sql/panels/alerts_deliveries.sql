SELECT
    receiver,
    countIf(state = 'sent') AS sent,
    countIf(state = 'waiting') AS waiting,
    countIf(state = 'suppressed') AS suppressed,
    countIf(state = 'dead') AS dead,
    maxOrNull(sent_at) AS last_sent_at,
    argMaxOrNullIf(last_error, changed_at, last_error != '' AND state != 'suppressed') AS last_error
FROM notifications
WHERE (
        state = 'waiting'
        OR changed_at >= $__fromTime_ms
            AND (changed_at <= $__toTime_ms OR $__toTime_ms >= (SELECT max(as_of) FROM run_clocks WHERE run = 'live'))
    )
    AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(
        campaign_id IN (SELECT campaign_id FROM alerts WHERE owner IN (${owner:singlequote})), $owner
    )
GROUP BY receiver
ORDER BY dead DESC, waiting DESC, receiver
