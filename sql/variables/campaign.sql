SELECT known.campaign_id AS value, if(plans.name = '', known.campaign_id, plans.name) AS text
FROM (
    SELECT toString(campaign_id) AS campaign_id FROM run_plans WHERE run = ${run:singlequote}
    UNION DISTINCT
    SELECT toString(campaign_id) FROM campaign_totals WHERE run = ${run:singlequote}
) AS known
LEFT JOIN (SELECT * FROM run_plans WHERE run = ${run:singlequote}) AS plans ON known.campaign_id = plans.campaign_id
ORDER BY lower(text), value
