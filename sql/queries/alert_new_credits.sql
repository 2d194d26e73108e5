-- what the deciding model gives in credits of campaigns that blocks after `since` have written: as each of those blocks has it, the
-- newest counts; PREWHERE as in alert_touches
-- the engine cuts what it reads into blocks of a megabyte, of a few hundred credits: that was half of what reading them cost;
-- without it a block has 65,409 rows. One thread of the engine leaves the others to blocks of events, as in alert_new_rows and
-- alert_new_touches. The evaluator alone asks, who may set these: readers may not
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
    toUInt8(if(length(measures) > 4, measures[5], measures[1]) != 0) AS booked,
    version
FROM {database}.ledger
PREWHERE run = {run:String} AND kind = 'credit' AND model = '' AND campaign_id IN {campaigns:Array(String)}
  AND version > {oldest:UInt64}
WHERE shard IN {shards:Array(UInt32)}
  AND version > transform(shard, {shards:Array(UInt32)}, {since:Array(UInt64)}, toUInt64(0))
SETTINGS preferred_block_size_bytes = 0, max_threads = 1
FORMAT RowBinary
