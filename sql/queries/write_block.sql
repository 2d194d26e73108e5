-- Refused: somebody else's claim that is as new as the block's, and any that is newer, this owner's own included
-- (an attempt that was given up may arrive after its owner has claimed and loaded the shard again); and a block without its
-- own claim (the run was dropped meanwhile).
INSERT INTO {database}.ledger (run, {columns})
SELECT {run:String}, {columns}
FROM input('{structure}')
WHERE NOT throwIf(
    (SELECT countIf(epoch >= (owner = {owner:String}) + held) > 0
            OR uniqExactIf(shard, owner = {owner:String} AND epoch = held) < length({shards:Array(UInt32)})
     FROM (
         SELECT
             shard, epoch, owner,
             transform(shard, {shards:Array(UInt32)}, {epochs:Array(UInt32)}, toUInt32(4294967295)) AS held
         FROM {database}.claims
         WHERE run = {run:String}
     )),
    'FENCED')
FORMAT Native
