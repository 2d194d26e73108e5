-- PREWHERE, on columns of the key alone: rows of other campaigns are left out before FINAL merges what is read
-- touches and their own cost by campaign and slot of time; a customer whose numbers have been taken back counts no more
SELECT
    toUInt32(transform(campaign_id, {campaigns:Array(String)}, range(length({campaigns:Array(String)})), 0)) AS place,
    toInt64(floor(at / {slot:Int64})) AS slot_number,
    toInt64(countIf(bitTest(flags, 2))) AS creditable,
    sum(toInt128(measures[1])) AS cost_minor
FROM {database}.ledger FINAL
PREWHERE run = {run:String} AND kind = 'touch' AND campaign_id IN {campaigns:Array(String)} AND at <= {until:Int64}
WHERE customer NOT IN (
      SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
  )
GROUP BY place, slot_number
ORDER BY place, slot_number
FORMAT RowBinary
