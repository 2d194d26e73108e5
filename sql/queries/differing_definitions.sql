-- definitions of campaigns that two runs count with and that are not the same text; '' is none
SELECT
    campaign_id,
    anyIf(definition, run = {left:String}) AS left_definition,
    anyIf(definition, run = {right:String}) AS right_definition
FROM (
    SELECT toString(run) AS run, toString(campaign_id) AS campaign_id, definition
    FROM {database}.run_definitions
    WHERE run IN ({left:String}, {right:String})
)
GROUP BY campaign_id
HAVING left_definition != right_definition
ORDER BY campaign_id
