WITH
    chosen AS (
        SELECT campaign_id FROM segment_totals
        WHERE run = ${run:singlequote} AND segment = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(cost_minor) DESC, campaign_id LIMIT 5
    )
SELECT
    models.campaign_id AS campaign_id,
    if(plans.name = '', models.campaign_id, plans.name) AS name,
    models.model AS model,
    if(models.decides, 'deciding', 'informing') AS decides,
    models.return_ratio AS return_ratio,
    multiIf(plans.campaign_id != '', plans.min_return_ratio, alert.alert_id != '', alert.min_return_ratio, 2.0) AS min_return_ratio,
    multiIf(
        NOT JSONHas(alert.record, 'decisions_by_model', models.model), NULL,
        JSONExtractBool(alert.record, 'decisions_by_model', models.model), 'stop', 'continue'
    ) AS would_do,
    models.converters AS converters,
    models.conversions AS conversions,
    models.return_minor AS return_minor,
    models.net_roi AS net_roi
FROM campaign_model_totals AS models
LEFT JOIN campaign_plans AS plans ON models.campaign_id = plans.campaign_id
LEFT JOIN campaign_alerts AS alert ON models.campaign_id = alert.campaign_id AND models.run = 'live'
WHERE models.run = ${run:singlequote} AND models.campaign_id IN (SELECT campaign_id FROM chosen)
ORDER BY name, decides, model
