INSERT INTO {database}.replays
    (run, state, plan, settings, from_ms, to_ms, total, events, cause, began_at, beat_at, ended_at, version)
SELECT
    {run:String}, {state:String}, {plan:String}, {settings:String},
    toInt64OrNull({from_ms:String}), toInt64OrNull({to_ms:String}), {total:UInt64}, {events:UInt64}, {cause:String},
    fromUnixTimestamp64Milli({began_ms:Int64}, 'UTC'), now64(3, 'UTC'),
    if({state:String} IN ('running', 'dropping'), NULL, now64(3, 'UTC')),
    toUnixTimestamp64Micro(now64(6))
-- a replay that slept while its run was dropped brings nothing of it back
WHERE {is_new:UInt8} OR ({run:String}, {began_ms:Int64}) IN (
    SELECT run, toUnixTimestamp64Milli(began_at) FROM {database}.replays WHERE run = {run:String}
)
