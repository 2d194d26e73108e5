SELECT
    totals.campaign_id AS campaign_id, definitions.definition AS definition, converters.converters AS converters,
    converters.return_minor AS converted_return_minor, converters.squared_return AS squared_return,
    totals.cost_minor AS cost_minor, totals.return_minor AS return_minor, totals.return_ratio AS return_ratio,
    (SELECT any(settings) FROM {database}.runs FINAL WHERE run = {run:String}) AS counted_by
FROM (SELECT * FROM {database}.campaign_totals WHERE run = {run:String}) AS totals
LEFT JOIN (SELECT * FROM {database}.run_definitions WHERE run = {run:String}) AS definitions ON totals.campaign_id = definitions.campaign_id
LEFT JOIN (SELECT * FROM {database}.campaign_converters WHERE run = {run:String}) AS converters
    ON totals.campaign_id = converters.campaign_id
WHERE {campaign:String} = '' OR totals.campaign_id = {campaign:String}
ORDER BY cost_minor DESC, campaign_id
