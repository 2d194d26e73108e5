-- no FINAL, as with load_logins
SELECT DISTINCT shard, id
FROM {database}.ledger
WHERE run = {run:String} AND kind = 'login' AND shard IN {shards:Array(UInt32)} AND bitTest(flags, 3)
  AND at < transform(shard, {shards:Array(UInt32)}, {floors:Array(Int64)}, toInt64(0))
FORMAT JSONCompactEachRow
