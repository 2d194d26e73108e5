SELECT id, at, channel
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'touch' AND campaign_id = {campaign:String} AND at IN {instants:Array(Int64)}
FORMAT JSONCompactEachRow
