-- days: what is remembered day by day; the rest only says whether an engaged day lies further back
-- no FINAL: a later row of a customer and day only adds that the day is engaged, so any row that says so is right
SELECT shard, id, at, bitTest(flags, 3)
FROM {database}.ledger
WHERE run = {run:String} AND kind = 'login' AND shard IN {shards:Array(UInt32)}
  AND at >= arrayMin({floors:Array(Int64)})  -- for the sorting key, which knows no bound by shard
  AND at >= transform(shard, {shards:Array(UInt32)}, {floors:Array(Int64)}, toInt64(0))
FORMAT JSONCompactEachRow
