-- what the board shows of each campaign, with its newest alert; without a definition the ratio that the caller names is required
SELECT
    totals.campaign_id AS campaign_id, touches, reached, conversions, converters, cost_minor, return_minor, aum_minor,
    conversion_rate, cpa_minor, return_ratio, net_roi,
    ifNull(JSONExtract(defined.definition, 'min_return_ratio', 'Nullable(Float64)'), {required:Float64}) AS min_return_ratio,
    totals.updated_at AS updated_at,
    nullIf(alert.state, '') AS alert_state, nullIf(alert.alert_id, '') AS alert_id
FROM {database}.campaign_totals AS totals
LEFT JOIN {database}.campaign_definitions AS defined ON totals.campaign_id = defined.campaign_id
LEFT JOIN (
    SELECT campaign_id AS alerted, argMax(state, at) AS state, argMax(id, at) AS alert_id
    FROM {database}.alert_log FINAL WHERE kind = 'alert' GROUP BY alerted
) AS alert ON totals.campaign_id = alert.alerted
WHERE run = 'live'
ORDER BY cost_minor DESC, campaign_id
LIMIT 1000
