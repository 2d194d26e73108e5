SELECT
    if(JSONExtractBool(last_body, 'ended'), 'ended', 'judging') AS state,
    owner,
    toString(epoch) AS epoch,
    dateDiff('second', seen_at, now64(3)) AS evaluator_age_seconds,
    parseDateTime64BestEffortOrNull(JSONExtractString(last_body, 'as_of'), 3, 'UTC') AS as_of,
    JSONExtract(last_body, 'campaigns', 'Nullable(Int64)') AS campaigns,
    JSONExtract(last_body, 'turn_seconds', 'Nullable(Float64)') AS turn_seconds,
    JSONExtract(last_body, 'turn_age_seconds', 'Nullable(Float64)') AS turn_age_seconds,
    arrayStringConcat(JSONExtract(last_body, 'reasons', 'Array(String)'), '; ') AS reasons
FROM (
    SELECT epoch, owner, max(at) AS seen_at, argMax(body, beat) AS last_body, max(beat) AS last_beat
    FROM alert_leases
    WHERE epoch = (SELECT max(epoch) FROM alert_leases)
    GROUP BY epoch, owner
)
ORDER BY last_beat DESC
LIMIT 1
