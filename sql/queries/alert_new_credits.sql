-- what the deciding model gives in credits that blocks after `since` have written, as the newest of those blocks has them
SELECT
    campaign_id, cityHash64(shard, campaign_id, label, at, id, other_id), sipHash64(shard, campaign_id, label, at, id, other_id),
    cityHash64(shard, id),
    reinterpretAsUInt64(unhex(substring(any(customer), 1, 16))),
    reinterpretAsUInt64(unhex(substring(any(customer), 17, 16))),
    at, arraySlice(argMax(measures, version), 1, 5) AS newest, indexOf({kinds:Array(String)}, any(category))
FROM {database}.ledger
WHERE run = {run:String} AND kind = 'credit' AND model = '' AND shard IN {shards:Array(UInt32)}
  AND version > {oldest:UInt64}
  AND version > transform(shard, {shards:Array(UInt32)}, {since:Array(UInt64)}, toUInt64(0))
GROUP BY shard, campaign_id, label, at, id, other_id
FORMAT JSONCompactEachRow
