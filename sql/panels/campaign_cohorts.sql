WITH
    (SELECT if(any(zone) = '', 'UTC', any(zone)) FROM runs FINAL WHERE run = ${run:singlequote}) AS zone,
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen
SELECT
    cohorts.touch_day AS touch_day,
    cohorts.lag_day AS lag_day,
    if(plans.name = '', cohorts.campaign_id, plans.name) AS name,
    cohorts.return_minor AS return_minor,
    cohorts.conversions AS conversions,
    if(cohorts.lag_day = 0, cohorts.cost_minor, NULL) AS cost_minor
FROM campaign_cohorts AS cohorts
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON cohorts.campaign_id = plans.campaign_id
WHERE cohorts.run = ${run:singlequote} AND cohorts.campaign_id IN (SELECT arrayJoin(chosen))
    AND cohorts.touch_day > toDate(greatest($__fromTime, toDateTime(1)) - 1, zone) AND cohorts.touch_day <= toDate($__toTime, zone)
ORDER BY name, touch_day, lag_day
LIMIT 4000
