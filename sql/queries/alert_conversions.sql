-- credited transactions that no reversal after `since` has changed: their rows tell what they return at any instant from
-- then on; rows written before there was a fifth measure do not have the share that reversals ate; `model` is a place
SELECT
    toUInt32(transform(campaign_id, {campaigns:Array(String)}, range(length({campaigns:Array(String)})), 0)) AS place,
    reinterpretAsUInt64(unhex(substring(customer, 1, 16))) AS customer_start,
    reinterpretAsUInt64(unhex(substring(customer, 17, 16))) AS customer_end,
    at AS effective_at,
    at AS converted_at,
    min(measures[5 * {model:UInt8} - 1]) AS touched_at,
    sum(measures[5 * {model:UInt8} - 3]) AS returned,
    toUInt8(indexOf({kinds:Array(String)}, any(category))) AS kind_number,
    toUInt8(1) AS arrived,
    if(max(measures[5 * {model:UInt8} - 4]) = 0, converted_at, toInt64(9223372036854775807)) AS eaten_at
FROM {database}.ledger FINAL
PREWHERE run = {run:String} AND kind = 'credit' AND model = '' AND campaign_id IN {campaigns:Array(String)}
  AND at <= {until:Int64}
WHERE if(length(measures) > 4, measures[5 * {model:UInt8}], measures[1]) != 0
  AND (shard, id) NOT IN (
      SELECT shard, other_id FROM {database}.ledger
      WHERE run = {run:String} AND kind = 'transaction' AND other_id != '' AND at > {since:Int64}
  )
  AND customer NOT IN (
      SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
  )
GROUP BY place, customer, shard, at, id
FORMAT RowBinary
