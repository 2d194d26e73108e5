-- definitions of campaigns that two runs count with and that are not the same text; '' is none
SELECT campaign_id, anyIf(definition, side = 1) AS left_definition, anyIf(definition, side = 2) AS right_definition
FROM (
    SELECT toString(campaign_id) AS campaign_id, definition, 1 AS side
    FROM {database}.campaign_log FINAL WHERE {left:String} = 'live'
    UNION ALL
    SELECT campaign_id, definition, 1 FROM {database}.run_campaigns FINAL WHERE run = {left:String}
    UNION ALL
    SELECT campaign_id, definition, 2 FROM {database}.campaign_log FINAL WHERE {right:String} = 'live'
    UNION ALL
    SELECT campaign_id, definition, 2 FROM {database}.run_campaigns FINAL WHERE run = {right:String}
)
GROUP BY campaign_id
HAVING left_definition != right_definition
ORDER BY campaign_id
