-- by hour where the range is three days or shorter, else by business day
WITH
    (SELECT if(any(zone) = '', 'UTC', any(zone)) FROM runs FINAL WHERE run = ${run:singlequote}) AS zone,
    dateDiff('hour', $__fromTime, $__toTime) <= 72 AS is_short
SELECT time, sum(spent) AS cost_minor, sum(earned) AS return_minor
FROM (
    SELECT campaign_id, hour AS time, cost_minor AS spent, return_minor AS earned
    FROM campaign_hours
    WHERE run = ${run:singlequote} AND $__timeFilter(hour) AND is_short
    UNION ALL
    SELECT campaign_id, assumeNotNull(toTimeZone(toDateTime(day, zone), 'UTC')), cost_minor, return_minor
    FROM campaign_days
    WHERE run = ${run:singlequote} AND day > toDate(greatest($__fromTime, toDateTime(1)) - 1, zone) AND day <= toDate($__toTime, zone) AND NOT is_short
)
WHERE $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(campaign_id IN (SELECT campaign_id FROM run_plans WHERE run = ${run:singlequote} AND owner IN (${owner:singlequote})), $owner)
GROUP BY time
ORDER BY time
