WITH
    chosen AS (
        SELECT alert_id, state, money_at_risk_minor, as_of
        FROM alerts
        WHERE $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
            AND $__conditionalAll(owner IN (${owner:singlequote}), $owner)
    ),
    firings AS (
        SELECT alert_id, min(parseDateTime64BestEffortOrZero(JSONExtractString(record, 'record', 'as_of'), 3, 'UTC')) AS fired_at
        FROM alert_changes
        WHERE state = 'firing' AND alert_id IN (SELECT alert_id FROM chosen)
        GROUP BY alert_id
    )
SELECT
    countIf(state = 'firing') AS firing,
    countIf(state = 'acknowledged') AS acknowledged,
    sumOrNullIf(toInt128(money_at_risk_minor), state IN ('firing', 'acknowledged')) AS money_at_risk_minor,
    countIf(state = 'pending') AS pending,
    countIf(state = 'blocked') AS blocked,
    (SELECT countIf(fired_at >= $__fromTime_ms AND fired_at <= $__toTime_ms) FROM firings) AS fired,
    (
        SELECT countIf(fired_at < $__fromTime_ms
            AND fired_at >= $__fromTime_ms - toIntervalMillisecond(dateDiff('millisecond', $__fromTime_ms, $__toTime_ms)))
        FROM firings
    ) AS fired_before,
    max(as_of) AS newest_look,
    countIf(state = 'immature') AS immature
FROM chosen
HAVING count() > 0
