-- touches and their own cost by campaign, first instant of a backtest as of which they had occurred, and quarter of an
-- hour; the last creditable one and the first of each
SELECT
    toUInt32(transform(campaign_id, {campaigns:Array(String)}, range(length({campaigns:Array(String)})), 0)) AS place,
    {begin:Int64} + toInt64(ceil((at - {begin:Int64}) / {unit:Int64})) * {unit:Int64} AS seen,
    toInt64(floor(at / 900000)) AS quarter,
    toInt64(countIf(bitTest(flags, 2))) AS creditable,
    sum(toInt128(measures[1])) AS cost_minor,
    maxIf(at, bitTest(flags, 2)) AS last_creditable,
    min(at) AS first_at
FROM {database}.ledger FINAL
PREWHERE run = {run:String} AND kind = 'touch' AND campaign_id IN {campaigns:Array(String)} AND at <= {until:Int64}
WHERE customer NOT IN (
      SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
  )
GROUP BY place, seen, quarter
ORDER BY place, seen, quarter
FORMAT RowBinary
