-- one row per stretch of one state, by event time: as of which instant it was decided; the last one lasts until the range ends
WITH
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen,
    changes AS (
        SELECT
            campaign_id, state,
            parseDateTimeBestEffortOrNull(JSONExtractString(record, 'record', 'as_of'), 'UTC') AS began,
            leadInFrame(began, 1, $__toTime) OVER next AS ended
        FROM alert_changes
        WHERE ${run:singlequote} = 'live' AND campaign_id IN (SELECT arrayJoin(chosen))
        WINDOW next AS (
            PARTITION BY campaign_id ORDER BY changed_at, change_id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        )
    )
SELECT
    assumeNotNull(greatest(began, $__fromTime)) AS time,
    assumeNotNull(least(ended, $__toTime)) AS time_end,
    if(plans.name = '', changes.campaign_id, plans.name) AS name,
    changes.state AS state
FROM changes
LEFT JOIN campaign_plans AS plans ON changes.campaign_id = plans.campaign_id
WHERE began < $__toTime AND ended > $__fromTime AND ended > began
ORDER BY time, name, time_end
LIMIT 1000
