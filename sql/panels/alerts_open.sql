SELECT
    alert_id,
    toString(alerts.campaign_id) AS campaign_id,
    campaign_name AS name,
    ifNull(owner, '') AS owner,
    state AS alert_state,
    return_ratio,
    JSONExtract(record, 'rule', 'min_return_ratio', 'Nullable(Float64)') AS min_return_ratio,
    upper_bound,
    matured_share,
    money_at_risk_minor,
    reason_en,
    reason_zh,
    opened_at,
    changed_at
FROM board_alerts AS alerts
WHERE state IN ('pending', 'firing', 'acknowledged', 'decided')
    AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(alerts.owner IN (${owner:singlequote}), $owner)
ORDER BY money_at_risk_minor DESC NULLS LAST, changed_at DESC, alert_id
