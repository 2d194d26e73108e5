SELECT shard, customer, campaign_id, label, min(at), argMin(tier, (at, version))
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'touch' AND shard IN {shards:Array(UInt32)} AND bitTest(flags, 2)
GROUP BY shard, customer, campaign_id, label
FORMAT JSONCompactEachRow
