-- the measures of every campaign in two runs
SELECT
    toString(run) AS run, toString(campaign_id) AS campaign_id, touches, reached, conversions, converters, cost_minor, return_minor,
    aum_minor, conversion_rate, cpa_minor, return_ratio, net_roi
FROM {database}.campaign_totals
WHERE run IN ({left:String}, {right:String})
