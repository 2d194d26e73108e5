-- before the transactions that say whose they are; every version of a row goes, so no older one comes back
ALTER TABLE {database}.ledger
DELETE WHERE run = {run:String} AND shard = {shard:UInt32} AND kind = 'adjustment' AND version <= {version:UInt64}
    AND (id, at) IN (
        SELECT id, at FROM {database}.ledger
        WHERE run = {run:String} AND shard = {shard:UInt32} AND kind = 'transaction'
          AND customer IN {customers:Array(String)}
    )
SETTINGS mutations_sync = 2
