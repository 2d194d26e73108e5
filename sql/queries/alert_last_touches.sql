-- the last creditable touch of every campaign up to an instant
SELECT campaign_id, max(at)
FROM {database}.ledger
WHERE run = {run:String} AND kind = 'touch' AND at <= {until:Int64} AND bitTest(flags, 2)
GROUP BY campaign_id
FORMAT JSONCompactEachRow
