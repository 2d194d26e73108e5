-- what reversals have eaten altogether keeps its share; rows written before there was a fifth measure do not have it
SELECT
    shard, id, at, model, campaign_id, label, measures[4], other_id, if(length(measures) > 4, measures[5], measures[1]) AS booked,
    measures[2], measures[3], measures[1] != 0
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'credit' AND shard IN {shards:Array(UInt32)} AND booked != 0
  AND at >= arrayMin({floors:Array(Int64)})  -- for the sorting key, which knows no bound by shard
  AND at >= transform(shard, {shards:Array(UInt32)}, {floors:Array(Int64)}, toInt64(0))
FORMAT JSONCompactEachRow
