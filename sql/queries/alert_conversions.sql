-- credited transactions that no reversal after `since` has changed: their rows tell what they return at any instant from
-- then on; rows written before there was a fifth measure do not have the share that reversals ate. `models` are places in
-- the run's models; the places of a campaign's models stand one after another.
SELECT
    toUInt32(campaign_place * length({models:Array(UInt8)}) + model_place - 1) AS place,
    reinterpretAsUInt64(unhex(substring(customer, 1, 16))) AS customer_start,
    reinterpretAsUInt64(unhex(substring(customer, 17, 16))) AS customer_end,
    at AS effective_at,
    at AS converted_at,
    min(measures[5 * model - 1]) AS touched_at,
    sum(measures[5 * model - 3]) AS returned,
    toUInt8(indexOf({kinds:Array(String)}, any(category))) AS kind_number,
    toUInt8(1) AS arrived,
    if(max(measures[5 * model - 4]) = 0, converted_at, toInt64(9223372036854775807)) AS eaten_at
FROM (
    SELECT
        transform(campaign_id, {campaigns:Array(String)}, range(length({campaigns:Array(String)})), 0) AS campaign_place,
        shard, id, at, customer, category, measures
    FROM {database}.ledger FINAL
    PREWHERE run = {run:String} AND kind = 'credit' AND model = '' AND campaign_id IN {campaigns:Array(String)}
      AND at <= {until:Int64}
    WHERE (shard, id) NOT IN (
          SELECT shard, other_id FROM {database}.ledger
          WHERE run = {run:String} AND kind = 'transaction' AND other_id != '' AND at > {since:Int64}
      )
      AND customer NOT IN (
          SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
      )
)
ARRAY JOIN {models:Array(UInt8)} AS model, arrayEnumerate({models:Array(UInt8)}) AS model_place
WHERE if(length(measures) > 4, measures[5 * model], measures[1]) != 0
GROUP BY place, customer, shard, at, id
FORMAT RowBinary
