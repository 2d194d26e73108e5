-- whole business days that begin within the range; the same number of days before them
WITH
    (SELECT if(any(zone) = '', 'UTC', any(zone)) FROM runs FINAL WHERE run = ${run:singlequote}) AS zone,
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen,
    toDate(greatest($__fromTime, toDateTime(1)) - 1, zone) + 1 AS first_day,
    toDate($__toTime, zone) AS last_day,
    toDate(greatest(0, 2 * toInt32(first_day) - toInt32(last_day) - 1)) AS first_day_before,
    (SELECT count() > 0 FROM (
        SELECT 1 FROM ledger
        WHERE run = ${run:singlequote} AND kind = 'day' AND at <= toInt64(first_day_before) LIMIT 1
    )) AS has_before,
    cells AS (
        SELECT
            campaign_id, 'event_view' AS view, day >= first_day AS is_now,
            cost_minor AS spent, return_minor AS earned, conversions AS converted, new_reached AS gained
        FROM campaign_days
        WHERE run = ${run:singlequote} AND campaign_id IN (SELECT arrayJoin(chosen))
            AND day >= first_day_before AND day <= last_day
        UNION ALL
        SELECT campaign_id, 'cohort_view', touch_day >= first_day, cost_minor, return_minor, conversions, reached
        FROM campaign_cohorts
        WHERE run = ${run:singlequote} AND campaign_id IN (SELECT arrayJoin(chosen))
            AND touch_day >= first_day_before AND touch_day <= last_day
    )
SELECT
    cells.campaign_id AS campaign_id,
    if(any(plans.name) = '', cells.campaign_id, any(plans.name)) AS name,
    cells.view AS view,
    sumIf(spent, is_now) AS cost_minor,
    if(has_before, sumIf(spent, NOT is_now), NULL) AS cost_before_minor,
    sumIf(earned, is_now) AS return_minor,
    if(has_before, sumIf(earned, NOT is_now), NULL) AS return_before_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_before_minor = 0, NULL, return_before_minor / cost_before_minor) AS return_ratio_before,
    sumIf(converted, is_now) AS conversions,
    sumIf(gained, is_now) AS new_reached
FROM cells
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON cells.campaign_id = plans.campaign_id
GROUP BY campaign_id, view
ORDER BY campaign_id, view DESC
