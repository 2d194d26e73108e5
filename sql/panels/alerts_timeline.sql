WITH
    changes AS (
        SELECT
            alert_id, toString(campaign_id) AS campaign_id, state, changed_at,
            parseDateTime64BestEffortOrZero(JSONExtractString(record, 'record', 'as_of'), 3, 'UTC') AS since
        FROM alert_changes
        WHERE previous_state != state
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
            AND $__conditionalAll(
                campaign_id IN (SELECT campaign_id FROM alerts WHERE owner IN (${owner:singlequote})), $owner
            )
    ),
    states AS (
        SELECT
            *,
            leadInFrame(since, 1, $__toTime_ms) OVER (
                PARTITION BY campaign_id ORDER BY changed_at ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
            ) AS until
        FROM changes
    ),
    shown AS (
        SELECT
            *,
            greatest(since, $__fromTime_ms) AS began,
            least(until, $__toTime_ms) AS ended,
            max(state NOT IN ('immature', 'watching')) OVER (PARTITION BY campaign_id) AS is_eventful
        FROM states
        WHERE greatest(since, $__fromTime_ms) < least(until, $__toTime_ms)
    )
SELECT
    shown.began AS time,
    shown.ended AS end,
    if(plans.name = '', shown.campaign_id, plans.name) AS name,
    shown.state AS alert_state,
    shown.campaign_id AS campaign_id,
    shown.alert_id AS alert_id
FROM shown
LEFT JOIN campaign_plans AS plans ON shown.campaign_id = plans.campaign_id
WHERE shown.is_eventful
ORDER BY time, name, campaign_id
