WITH
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray((campaign_id, cost_minor)) FROM (
        SELECT toString(campaign_id) AS campaign_id, sum(toInt128(measures[5])) AS cost_minor FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY cost_minor DESC, campaign_id LIMIT 5
    )) AS chosen,
    totals AS (
        SELECT campaign_id, model, converters, conversions, return_minor
        FROM campaign_model_totals
        WHERE run = ${run:singlequote} AND campaign_id IN (SELECT arrayJoin(chosen.1))
    ),
    -- in the order of the models of the run
    every AS (
        SELECT campaign_id, cost_minor, place, models[place] AS model
        FROM (
            SELECT campaign_id, cost_minor, (SELECT any(models) FROM runs FINAL WHERE run = ${run:singlequote}) AS models
            FROM (SELECT arrayJoin(chosen) AS one, one.1 AS campaign_id, one.2 AS cost_minor)
        )
        ARRAY JOIN arrayEnumerate(models) AS place
    )
SELECT
    every.campaign_id AS campaign_id,
    if(plans.name = '', every.campaign_id, plans.name) AS name,
    every.model AS model,
    if(every.place = 1, 'deciding', 'informing') AS decides,
    if(every.cost_minor = 0, NULL, totals.return_minor / every.cost_minor) AS return_ratio,
    multiIf(plans.campaign_id != '', plans.min_return_ratio, alert.alert_id != '', alert.min_return_ratio, 2.0) AS min_return_ratio,
    multiIf(
        NOT JSONHas(alert.record, 'decisions_by_model', every.model), NULL,
        JSONExtractBool(alert.record, 'decisions_by_model', every.model), 'stop', 'continue'
    ) AS would_do,
    totals.converters AS converters,
    totals.conversions AS conversions,
    totals.return_minor AS return_minor,
    if(every.cost_minor = 0, NULL, (totals.return_minor - every.cost_minor) / every.cost_minor) AS net_roi
FROM every
LEFT JOIN totals ON every.campaign_id = totals.campaign_id AND every.model = totals.model
LEFT JOIN (SELECT campaign_id, name, min_return_ratio FROM run_plans WHERE run = ${run:singlequote}) AS plans ON every.campaign_id = plans.campaign_id
LEFT JOIN campaign_alerts AS alert ON every.campaign_id = alert.campaign_id AND ${run:singlequote} = 'live'
ORDER BY name, every.place
