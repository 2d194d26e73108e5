SELECT shard, id, model, campaign_id, label, measures[4], other_id, measures[1], measures[2], measures[3]
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'credit' AND shard IN {shards:Array(UInt32)} AND measures[1] != 0
  AND at >= transform(shard, {shards:Array(UInt32)}, {floors:Array(Int64)}, toInt64(0))
FORMAT JSONCompactEachRow
