SELECT DISTINCT shard, customer, campaign_id, label, {labels:Array(String)}[place] AS model
FROM (
    SELECT shard, customer, campaign_id, label, measures
    FROM {database}.ledger FINAL
    WHERE run = {run:String} AND kind = 'credit' AND shard IN {shards:Array(UInt32)}
      AND at < transform(shard, {shards:Array(UInt32)}, {floors:Array(Int64)}, toInt64(0))
)
ARRAY JOIN arrayEnumerate({labels:Array(String)}) AS place
WHERE measures[5 * place - 4] != 0
FORMAT JSONCompactEachRow
