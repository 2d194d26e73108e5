SELECT
    state, plan, settings, total, events, cause, toUnixTimestamp64Milli(began_at),
    dateDiff('millisecond', beat_at, now64(3, 'UTC')) AS silent_ms
FROM {database}.replays FINAL
WHERE run = {run:String}
FORMAT JSONCompactEachRow
