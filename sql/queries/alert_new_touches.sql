-- touches of blocks after `since` up to `until`, a version of each shard; those that are later than the instant `now` by
-- the minute that ends after them
SELECT
    campaign_id, toInt64(floor(at / 3600000)) AS hour, greatest(toInt64(ceil(at / 60000)), {now:Int64}) AS minute,
    countIf(bitTest(flags, 2)), toString(sum(toInt128(cost_minor)))
FROM (
    SELECT campaign_id, at, any(flags) AS flags, any(measures[1]) AS cost_minor
    FROM {database}.ledger
    WHERE run = {run:String} AND kind = 'touch' AND shard IN {shards:Array(UInt32)} AND version > {oldest:UInt64}
      AND version > transform(shard, {shards:Array(UInt32)}, {since:Array(UInt64)}, toUInt64(0))
      AND version <= transform(shard, {shards:Array(UInt32)}, {until:Array(UInt64)}, toUInt64(0))
    GROUP BY shard, campaign_id, label, at, id
)
GROUP BY campaign_id, hour, minute
SETTINGS max_threads = 1
FORMAT JSONCompactEachRow
