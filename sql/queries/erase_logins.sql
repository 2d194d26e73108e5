SELECT id, at, bitTest(flags, 3), tier, version
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'login' AND shard = {shard:UInt32} AND id IN {customers:Array(String)}
FORMAT JSONCompactEachRow
