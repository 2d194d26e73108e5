-- Every attribution model side by side: the first of `attribution.models` decides, the others only inform.
-- Touches, reach and cost do not depend on a model, so each model's row shows the same ones.

CREATE OR REPLACE VIEW {database}.campaign_model_totals AS
SELECT
    credited.run AS run,
    credited.campaign_id AS campaign_id,
    if(credited.model = '', runs.models[1], credited.model) AS model,
    credited.model = '' AS decides,
    base.touches AS touches,
    base.reached AS reached,
    credited.millionths / 1000000 AS conversions,
    credited.converters AS converters,
    base.cost_minor AS cost_minor,
    credited.return_minor AS return_minor,
    credited.aum_minor AS aum_minor,
    if(base.reached = 0, NULL, credited.converters / base.reached) AS conversion_rate,
    if(credited.converters = 0, NULL, base.cost_minor / credited.converters) AS cpa_minor,
    if(base.cost_minor = 0, NULL, credited.return_minor / base.cost_minor) AS return_ratio,
    if(base.cost_minor = 0, NULL, (credited.return_minor - base.cost_minor) / base.cost_minor) AS net_roi
FROM (
    SELECT
        run, campaign_id, model,
        sum(conversion_millionths) AS millionths, sum(converters) AS converters,
        sum(return_minor) AS return_minor, sum(aum_minor) AS aum_minor
    FROM {database}.segment_totals
    WHERE segment = 'tier'
    GROUP BY run, campaign_id, model
) AS credited
LEFT JOIN (
    SELECT run, campaign_id, sum(touches) AS touches, sum(reached) AS reached, sum(cost_minor) AS cost_minor
    FROM {database}.segment_totals
    WHERE segment = 'tier' AND model = ''
    GROUP BY run, campaign_id
) AS base ON credited.run = base.run AND credited.campaign_id = base.campaign_id
LEFT JOIN {database}.runs FINAL ON credited.run = runs.run;
