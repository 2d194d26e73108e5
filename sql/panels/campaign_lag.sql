WITH
    chosen AS (
        SELECT campaign_id FROM segment_totals
        WHERE run = ${run:singlequote} AND segment = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(cost_minor) DESC, campaign_id LIMIT 5
    )
SELECT
    curve.lag_day AS lag_day,
    if(plans.name = '', curve.campaign_id, plans.name) AS name,
    curve.return_share AS return_share,
    curve.conversion_share AS conversion_share,
    curve.cohorts AS cohorts
FROM campaign_lag_curve AS curve
LEFT JOIN (SELECT * FROM run_plans WHERE run = ${run:singlequote}) AS plans ON curve.campaign_id = plans.campaign_id
WHERE curve.run = ${run:singlequote} AND curve.campaign_id IN (SELECT campaign_id FROM chosen)
ORDER BY lag_day, name
LIMIT 1000
