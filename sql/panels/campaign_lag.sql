WITH
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen
SELECT
    curve.lag_day AS lag_day,
    if(plans.name = '', curve.campaign_id, plans.name) AS name,
    curve.return_share AS return_share,
    curve.conversion_share AS conversion_share,
    curve.cohorts AS cohorts
FROM campaign_lag_curve AS curve
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON curve.campaign_id = plans.campaign_id
WHERE curve.run = ${run:singlequote} AND curve.campaign_id IN (SELECT arrayJoin(chosen))
ORDER BY lag_day, name
LIMIT 1000
