-- when an arm first reached each customer, and in which tier: of touches at the same time the tier's name decides
SELECT shard, customer, campaign_id, label, min(at), argMin(tier, (at, toString(tier)))
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'touch' AND shard IN {shards:Array(UInt32)} AND bitTest(flags, 2)
GROUP BY shard, customer, campaign_id, label
FORMAT JSONCompactEachRow
