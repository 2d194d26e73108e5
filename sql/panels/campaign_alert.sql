WITH
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen
SELECT
    alert.campaign_id AS campaign_id,
    alert.alert_id AS alert_id,
    if(plans.name = '', alert.campaign_id, plans.name) AS name,
    alert.state AS alert_state,
    alert.reason_en AS reason_en,
    alert.reason_zh AS reason_zh,
    alert.return_ratio AS return_ratio,
    alert.min_return_ratio AS min_return_ratio,
    alert.forecast_ratio AS forecast_ratio,
    alert.forecast_low AS forecast_low,
    alert.forecast_high AS forecast_high,
    alert.upper_bound AS upper_bound,
    alert.confidence AS confidence,
    alert.matured_share AS matured_share,
    alert.converters AS converters,
    alert.converters_expected AS converters_expected,
    if(alert.state IN ('immature', 'blocked'), NULL, alert.money_at_risk_minor) AS money_at_risk_minor,
    alert.advice_segment AS advice_segment,
    alert.advice_label AS advice_label,
    alert.ratio_without AS ratio_without,
    alert.decision AS decision,
    alert.decided_by AS decided_by,
    alert.opened_at AS opened_at,
    alert.as_of AS as_of
FROM campaign_alerts AS alert
LEFT JOIN campaign_plans AS plans ON alert.campaign_id = plans.campaign_id
WHERE ${run:singlequote} = 'live' AND alert.campaign_id IN (SELECT arrayJoin(chosen))
ORDER BY money_at_risk_minor DESC NULLS LAST, name
