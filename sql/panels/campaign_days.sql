-- by hour where the range is three days or shorter, else by business day
WITH
    (SELECT if(any(zone) = '', 'UTC', any(zone)) FROM runs FINAL WHERE run = ${run:singlequote}) AS zone,
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen,
    dateDiff('hour', $__fromTime, $__toTime) <= 72 AS is_short,
    cells AS (
        SELECT campaign_id, hour AS time, cost_minor, return_minor
        FROM campaign_hours
        WHERE run = ${run:singlequote} AND campaign_id IN (SELECT arrayJoin(chosen)) AND $__timeFilter(hour) AND is_short
        UNION ALL
        SELECT campaign_id, assumeNotNull(toTimeZone(toDateTime(day, zone), 'UTC')), cost_minor, return_minor
        FROM campaign_days
        WHERE run = ${run:singlequote} AND campaign_id IN (SELECT arrayJoin(chosen))
            AND day > toDate(greatest($__fromTime, toDateTime(1)) - 1, zone) AND day <= toDate($__toTime, zone) AND NOT is_short
    )
SELECT
    cells.time AS time,
    if(plans.name = '', cells.campaign_id, plans.name) AS name,
    cells.cost_minor AS cost_minor,
    cells.return_minor AS return_minor
FROM cells
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON cells.campaign_id = plans.campaign_id
ORDER BY time, name
LIMIT 4000
