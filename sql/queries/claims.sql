SELECT shard, epoch, owner FROM {database}.claims
WHERE run = {run:String} AND shard IN {shards:Array(UInt32)}
FORMAT JSONCompactEachRow
