-- five numbers a model stand in a row; what reversals have eaten altogether keeps its share; rows written before there was a
-- fifth number do not have it
SELECT
    shard, id, at, {labels:Array(String)}[place] AS model, campaign_id, label, measures[5 * place - 1], other_id,
    if(length(measures) > 4, measures[5 * place], measures[1]) AS booked,
    measures[5 * place - 3], measures[5 * place - 2], measures[5 * place - 4] != 0
FROM (
    SELECT shard, id, at, campaign_id, label, other_id, measures
    FROM {database}.ledger FINAL
    WHERE run = {run:String} AND kind = 'credit' AND shard IN {shards:Array(UInt32)}
      AND at >= arrayMin({floors:Array(Int64)})  -- for the sorting key, which knows no bound by shard
      AND at >= transform(shard, {shards:Array(UInt32)}, {floors:Array(Int64)}, toInt64(0))
)
ARRAY JOIN arrayEnumerate({labels:Array(String)}) AS place
WHERE booked != 0
FORMAT JSONCompactEachRow
