-- transactions that are reversed after an instant
SELECT cityHash64(shard, other_id), any(other_id), max(at)
FROM {database}.ledger
WHERE run = {run:String} AND kind = 'transaction' AND other_id != '' AND at > {since:Int64}
GROUP BY shard, other_id
FORMAT JSONCompactEachRow
