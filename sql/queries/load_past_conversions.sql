SELECT DISTINCT shard, customer, campaign_id, label, model
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'credit' AND shard IN {shards:Array(UInt32)} AND measures[1] != 0
  AND at < transform(shard, {shards:Array(UInt32)}, {floors:Array(Int64)}, toInt64(0))
FORMAT JSONCompactEachRow
