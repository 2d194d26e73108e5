-- the version keeps the hands of a worker that was asleep off what came after a new profile
ALTER TABLE {database}.ledger
DELETE WHERE run = {run:String} AND shard = {shard:UInt32} AND version <= {version:UInt64}
    AND (kind IN ('touch', 'transaction', 'credit') AND customer IN {customers:Array(String)}
         OR kind IN ('login', 'profile') AND id IN {customers:Array(String)})
SETTINGS mutations_sync = 2
