-- one campaign's touches and their own cost by segment and hour
SELECT
    multiIf({dimension:String} = 'variant', toString(label), {dimension:String} = 'tier', toString(tier), toString(channel)) AS segment,
    toInt64(floor(at / 3600000)) AS hour, countIf(bitTest(flags, 2)), sum(measures[1])
FROM {database}.ledger FINAL
PREWHERE run = {run:String} AND kind = 'touch' AND campaign_id = {campaign:String} AND at <= {until:Int64}
WHERE customer NOT IN (
      SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
  )
GROUP BY segment, hour
ORDER BY segment, hour
FORMAT JSONCompactEachRow
