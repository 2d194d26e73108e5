SELECT
    alerts.alert_id AS alert_id,
    toString(alerts.campaign_id) AS campaign_id,
    alerts.campaign_name AS name,
    ifNull(alerts.owner, '') AS owner,
    alerts.changed_at AS changed_at,
    JSONExtractString(alerts.record, 'state_before') AS state_before,
    faults.fault_en AS fault_en,
    faults.fault_zh AS fault_zh,
    alerts.money_at_risk_minor AS money_at_risk_minor
FROM alerts
LEFT JOIN (
    SELECT alert_id, argMax(note_en, changed_at) AS fault_en, argMax(note_zh, changed_at) AS fault_zh
    FROM board_alert_changes
    WHERE state = 'blocked' AND previous_state != 'blocked'
    GROUP BY alert_id
) AS faults ON alerts.alert_id = faults.alert_id
WHERE state = 'blocked'
    AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(alerts.owner IN (${owner:singlequote}), $owner)
ORDER BY money_at_risk_minor DESC NULLS LAST, changed_at, alert_id
