-- what the board shows of each campaign; without a definition the ratio that the caller names is required
SELECT
    campaign_id, touches, reached, conversions, converters, cost_minor, return_minor, aum_minor,
    conversion_rate, cpa_minor, return_ratio, net_roi,
    ifNull(JSONExtract(defined.definition, 'min_return_ratio', 'Nullable(Float64)'), {required:Float64}) AS min_return_ratio,
    totals.updated_at AS updated_at
FROM {database}.campaign_totals AS totals
LEFT JOIN {database}.campaign_definitions AS defined ON totals.campaign_id = defined.campaign_id
WHERE run = 'live'
ORDER BY cost_minor DESC, campaign_id
LIMIT 1000
