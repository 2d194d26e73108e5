-- Refused: somebody else's claim that is as new as the block's, and any that is newer, this owner's own included
-- (an attempt that was given up may arrive after its owner has claimed and loaded the shard again).
INSERT INTO {database}.ledger (run, {columns})
SELECT {run:String}, {columns}
FROM input('{structure}')
WHERE NOT throwIf(
    (SELECT count() FROM {database}.claims
     WHERE run = {run:String}
       AND epoch >= (owner = {owner:String})
           + transform(shard, {shards:Array(UInt32)}, {epochs:Array(UInt32)}, toUInt32(4294967295))) > 0,
    'FENCED')
FORMAT Native
