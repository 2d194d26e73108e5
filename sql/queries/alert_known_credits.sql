-- the deciding model's credits of campaigns as they stand; PREWHERE as in alert_touches, the block size as in alert_new_credits
SELECT
    toUInt32(transform(campaign_id, {campaigns:Array(String)}, range(length({campaigns:Array(String)})), 0)) AS place,
    cityHash64(shard, campaign_id, label, at, id, other_id) AS key_start,
    sipHash64(shard, campaign_id, label, at, id, other_id) AS key_end,
    cityHash64(shard, id) AS transaction_key,
    reinterpretAsUInt64(unhex(substring(customer, 1, 16))) AS customer_start,
    reinterpretAsUInt64(unhex(substring(customer, 17, 16))) AS customer_end,
    at AS converted_at,
    measures[4] AS touched_at,
    measures[2] AS returned,
    toUInt8(indexOf({kinds:Array(String)}, category)) AS kind_number,
    toUInt8(measures[1] = 0) AS eaten,
    toUInt8(1) AS booked,
    version
FROM {database}.ledger FINAL
PREWHERE run = {run:String} AND kind = 'credit' AND model = '' AND campaign_id IN {campaigns:Array(String)}
WHERE if(length(measures) > 4, measures[5], measures[1]) != 0
  AND customer NOT IN (
      SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
  )
ORDER BY place
SETTINGS preferred_block_size_bytes = 0
FORMAT RowBinary
