-- which arms have reached a customer by a touch that nothing can precede any more; load_touches has all later ones
SELECT DISTINCT shard, customer, campaign_id, label
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'touch' AND shard IN {shards:Array(UInt32)} AND bitTest(flags, 2)
  AND at < arrayMax({floors:Array(Int64)})  -- for the sorting key, which knows no bound by shard
  AND at < transform(shard, {shards:Array(UInt32)}, {floors:Array(Int64)}, toInt64(0))
FORMAT JSONCompactEachRow
