SELECT customer, campaign_id, label, at, id, tier, bitTest(flags, 2), measures[1], source
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'touch' AND shard = {shard:UInt32} AND customer IN {customers:Array(String)}
FORMAT JSONCompactEachRow
