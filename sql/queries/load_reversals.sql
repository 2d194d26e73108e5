SELECT shard, customer, at, id, other_id, measures[1], source
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'transaction' AND shard IN {shards:Array(UInt32)} AND other_id != ''
  AND at >= arrayMin({floors:Array(Int64)})  -- for the sorting key, which knows no bound by shard
  AND at >= transform(shard, {shards:Array(UInt32)}, {floors:Array(Int64)}, toInt64(0))
FORMAT JSONCompactEachRow
