-- what attribution says of each variant, beside what the experiment says
SELECT variant, toString(return_minor), toString(cost_minor), touches
FROM {database}.campaign_variant_totals
WHERE run = {run:String} AND campaign_id = {campaign:String}
FORMAT JSONCompactEachRow
