-- the ratio so far at the end of each business day: its last value is that of the campaign's totals
WITH
    (SELECT if(any(zone) = '', 'UTC', any(zone)) FROM runs FINAL WHERE run = ${run:singlequote}) AS zone,
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen,
    days AS (
        SELECT
            campaign_id, day,
            sum(cost_minor) OVER so_far AS spent,
            sum(return_minor) OVER so_far AS earned,
            if(cost_minor = 0, NULL, return_minor / cost_minor) AS of_the_day
        FROM campaign_days
        WHERE run = ${run:singlequote} AND campaign_id IN (SELECT arrayJoin(chosen))
        WINDOW so_far AS (PARTITION BY campaign_id ORDER BY day)
    )
SELECT
    assumeNotNull(toTimeZone(toDateTime(days.day, zone), 'UTC')) AS time,
    if(plans.name = '', days.campaign_id, plans.name) AS name,
    if(days.spent = 0, NULL, days.earned / days.spent) AS return_ratio,
    multiIf(plans.campaign_id != '', plans.min_return_ratio, alert.alert_id != '', alert.min_return_ratio, 2.0) AS min_return_ratio,
    days.of_the_day AS day_ratio
FROM days
LEFT JOIN (SELECT campaign_id, name, min_return_ratio FROM run_plans WHERE run = ${run:singlequote}) AS plans ON days.campaign_id = plans.campaign_id
LEFT JOIN campaign_alerts AS alert ON days.campaign_id = alert.campaign_id AND ${run:singlequote} = 'live'
WHERE days.day > toDate(greatest($__fromTime, toDateTime(1)) - 1, zone) AND days.day <= toDate($__toTime, zone)
ORDER BY time, name
LIMIT 4000
