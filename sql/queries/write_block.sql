INSERT INTO {database}.ledger (run, {columns})
SELECT {run:String}, {columns}
FROM input('{structure}')
WHERE NOT throwIf(
    (SELECT count() FROM {database}.claims
     WHERE run = {run:String} AND owner != {owner:String}
       AND epoch >= transform(shard, {shards:Array(UInt32)}, {epochs:Array(UInt32)}, toUInt32(4294967295))) > 0,
    'FENCED')
FORMAT Native
