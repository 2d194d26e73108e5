SELECT shard, label, measures[1], measures[2], measures[3], measures[4], measures[5], detail
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'position' AND shard IN {shards:Array(UInt32)}
FORMAT JSONCompactEachRow
