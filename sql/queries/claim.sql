INSERT INTO {database}.claims (run, shard, epoch, owner)
SELECT {run:String}, shard, max(epoch) + 1, {owner:String}
FROM (
    SELECT arrayJoin({shards:Array(UInt32)}) AS shard, toUInt32(0) AS epoch
    UNION ALL
    SELECT shard, epoch FROM {database}.claims WHERE run = {run:String} AND shard IN {shards:Array(UInt32)}
)
GROUP BY shard
