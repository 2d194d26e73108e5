SELECT customer, id, model, campaign_id, label, at, other_id, measures[4], tier, measures[1], measures[2], measures[3]
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'credit' AND shard = {shard:UInt32} AND customer IN {customers:Array(String)}
  AND measures[1] != 0
FORMAT JSONCompactEachRow
