-- customers assigned by the end of each day
WITH
    (SELECT if(any(zone) = '', 'UTC', any(zone)) FROM runs FINAL WHERE run = ${run:singlequote}) AS zone,
    chosen AS (
        SELECT campaign_id FROM ab_results
        WHERE run = ${run:singlequote} AND metric = ${outcome:singlequote}
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(ended) DESC, sum(n) DESC, campaign_id LIMIT 3
    ),
    days AS (
        SELECT *, sum(n) OVER (PARTITION BY campaign_id, day) AS of_all
        FROM ab_history
        WHERE run = ${run:singlequote} AND metric = ${outcome:singlequote} AND campaign_id IN (SELECT campaign_id FROM chosen)
    )
SELECT
    assumeNotNull(toTimeZone(toDateTime(days.day, zone), 'UTC')) AS time,
    if(plans.name = '', days.campaign_id, plans.name) AS name,
    days.variant AS variant,
    if(days.of_all = 0, NULL, days.n / days.of_all) AS share,
    days.planned_share AS planned_share
FROM days
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON days.campaign_id = plans.campaign_id
WHERE days.day > toDate(greatest($__fromTime, toDateTime(1)) - 1, zone) AND days.day <= toDate($__toTime, zone)
ORDER BY time, name, variant
LIMIT 4000
