-- whole business days from the roll-up by day, the rest of both periods by hour
WITH
    (SELECT if(any(zone) = '', 'UTC', any(zone)) FROM runs FINAL WHERE run = ${run:singlequote}) AS zone,
    greatest($__fromTime, toDateTime(172800)) AS begins,  -- so that days before it can be named
    $__toTime AS ends,
    toDateTime(greatest(172800, 2 * toInt64(begins) - toInt64(ends))) AS begins_before,
    addDays(toStartOfDay(begins_before - 1, zone), 1) AS first_day_before,
    toStartOfDay(begins, zone) AS day_of_begin,
    addDays(toStartOfDay(begins - 1, zone), 1) AS first_day,
    toStartOfDay(ends, zone) AS day_of_end,
    (SELECT count() > 0 FROM (
        SELECT 1 FROM ledger
        WHERE run = ${run:singlequote} AND kind = 'day' AND at <= toInt64(toDate(begins_before, zone)) LIMIT 1
    )) AS has_before,
    cells AS (
        SELECT campaign_id, toDateTime(day, zone) >= begins AS is_now, cost_minor AS spent, return_minor AS earned, new_converters AS gained
        FROM campaign_days
        WHERE run = ${run:singlequote}
            AND (day >= toDate(first_day_before, zone) AND day < toDate(day_of_begin, zone)
                 OR day >= toDate(first_day, zone) AND day < toDate(day_of_end, zone))
        UNION ALL
        SELECT campaign_id, hour >= begins, cost_minor, return_minor, new_converters
        FROM campaign_hours
        WHERE run = ${run:singlequote} AND hour >= begins_before AND hour <= ends
            AND (hour < first_day_before OR hour >= day_of_begin AND hour < first_day OR hour >= day_of_end)
    )
SELECT
    sumIf(spent, is_now) AS cost_minor,
    if(has_before, sumIf(spent, NOT is_now), NULL) AS cost_before_minor,
    sumIf(earned, is_now) AS return_minor,
    if(has_before, sumIf(earned, NOT is_now), NULL) AS return_before_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_before_minor = 0, NULL, return_before_minor / cost_before_minor) AS return_ratio_before,
    sumIf(gained, is_now) AS new_converters,
    if(has_before, sumIf(gained, NOT is_now), NULL) AS new_converters_before,
    uniqExactIf(campaign_id, is_now) AS active_campaigns,
    if(has_before, uniqExactIf(campaign_id, NOT is_now), NULL) AS active_campaigns_before
FROM cells
WHERE $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
    AND $__conditionalAll(campaign_id IN (SELECT campaign_id FROM run_plans WHERE run = ${run:singlequote} AND owner IN (${owner:singlequote})), $owner)
HAVING count() > 0
