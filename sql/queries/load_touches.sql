SELECT shard, customer, campaign_id, label, at, id, tier
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'touch' AND shard IN {shards:Array(UInt32)} AND bitTest(flags, 2)
  AND at >= arrayMin({floors:Array(Int64)})  -- for the sorting key, which knows no bound by shard
  AND at >= transform(shard, {shards:Array(UInt32)}, {floors:Array(Int64)}, toInt64(0))
FORMAT JSONCompactEachRow
