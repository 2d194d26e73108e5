-- erasures of the run that is live hold here too (stage 3: skip the customer), unless this run has its own word on the
-- customer; what replays say is their own
SELECT shard, id, own, stage, counts, requests, row_version
FROM (
    SELECT
        shard, id, run = {run:String} AS own, if(own, measures[1], 3) AS stage, arraySlice(measures, 2, 6) AS counts,
        detail AS requests, if(own, version, 0) AS row_version
    FROM {database}.ledger FINAL
    WHERE kind = 'erased' AND shard IN {shards:Array(UInt32)} AND (own OR measures[1] != 4 AND run NOT IN (SELECT run FROM {database}.replays))
    ORDER BY own DESC
    LIMIT 1 BY shard, id
)
FORMAT JSONCompactEachRow
