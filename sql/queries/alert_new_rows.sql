-- campaigns whose costs or credits blocks after `since` have changed, by the minute that ends after the row; erasures
-- show as numbers taken back, in chapters with the top bit
SELECT toString(kind), campaign_id, greatest(toInt64(ceil(at / 60000)), {now:Int64}) AS minute
FROM {database}.ledger
WHERE run = {run:String} AND kind IN ('cost', 'credit') AND model = '' AND shard IN {shards:Array(UInt32)}
  AND version > {oldest:UInt64} AND at > {after:Int64}
  AND version > transform(shard, {shards:Array(UInt32)}, {since:Array(UInt64)}, toUInt64(0))
GROUP BY kind, campaign_id, minute
UNION ALL
SELECT 'erased', campaign_id, {now:Int64}
FROM {database}.ledger
WHERE run = {run:String} AND kind = 'tier' AND chapter >= 9223372036854775808 AND shard IN {shards:Array(UInt32)}
  AND version > {oldest:UInt64}
  AND version > transform(shard, {shards:Array(UInt32)}, {since:Array(UInt64)}, toUInt64(0))
GROUP BY campaign_id
SETTINGS max_threads = 1
FORMAT JSONCompactEachRow
