-- the same customers by Welch's test, on the same days
WITH
    (SELECT if(any(zone) = '', 'UTC', any(zone)) FROM runs FINAL WHERE run = ${run:singlequote}) AS zone,
    chosen AS (
        SELECT campaign_id FROM ab_results
        WHERE run = ${run:singlequote} AND metric = ${outcome:singlequote}
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(ended) DESC, sum(n) DESC, campaign_id LIMIT 3
    ),
    days AS (
        SELECT *, nullIf(abs(anyIf(mean, is_control) OVER (PARTITION BY campaign_id, day)), 0) AS base
        FROM ab_history
        WHERE run = ${run:singlequote} AND metric = ${outcome:singlequote} AND campaign_id IN (SELECT campaign_id FROM chosen)
    )
SELECT
    assumeNotNull(toTimeZone(toDateTime(days.day, zone), 'UTC')) AS time,
    if(plans.name = '', days.campaign_id, plans.name) AS name,
    days.variant AS variant,
    days.lift / days.base AS lift,
    days.ci_low / days.base AS lift_low,
    days.ci_high / days.base AS lift_high
FROM days
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON days.campaign_id = plans.campaign_id
WHERE NOT days.is_control AND days.always_low IS NOT NULL
    AND days.day > toDate(greatest($__fromTime, toDateTime(1)) - 1, zone) AND days.day <= toDate($__toTime, zone)
ORDER BY time, name, variant
LIMIT 4000
