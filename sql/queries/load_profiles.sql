SELECT shard, id, tier
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'profile' AND shard IN {shards:Array(UInt32)} AND tier != ''
FORMAT JSONCompactEachRow
