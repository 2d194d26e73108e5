-- one campaign's credited transactions by segment of every dimension, once in each; the rest is that of alert_conversions.
-- A segment that is not among those asked for has the place behind them.
SELECT
    toUInt32(transform(segment, {segments:Array(String)}, range(length({segments:Array(String)})), length({segments:Array(String)}))) AS place,
    reinterpretAsUInt64(unhex(substring(customer, 1, 16))) AS customer_start,
    reinterpretAsUInt64(unhex(substring(customer, 17, 16))) AS customer_end,
    at AS effective_at,
    at AS converted_at,
    min(touched_at) AS first_touched_at,
    sum(return_minor) AS returned,
    toUInt8(indexOf({kinds:Array(String)}, any(category))) AS kind_number,
    toUInt8(1) AS arrived,
    if(max(millionths) = 0, converted_at, toInt64(9223372036854775807)) AS eaten_at
FROM (
    SELECT
        shard, id, at, customer, category, other_id, measures[5 * {model:UInt8} - 1] AS touched_at, measures[5 * {model:UInt8} - 3] AS return_minor,
        measures[5 * {model:UInt8} - 4] AS millionths,
        arrayJoin([concat('channel ', channel_of_touch), concat('variant ', label), concat('tier ', tier)]) AS segment
    FROM {database}.ledger AS credit FINAL
    LEFT JOIN (
        SELECT shard AS touch_shard, id AS touch_id, at AS own_instant, toString(channel) AS channel_of_touch
        FROM {database}.ledger FINAL
        WHERE run = {run:String} AND kind = 'touch' AND campaign_id = {campaign:String}
    ) AS touch
    ON credit.shard = touch.touch_shard AND credit.other_id = touch.touch_id AND credit.measures[5 * {model:UInt8} - 1] = touch.own_instant
    WHERE run = {run:String} AND kind = 'credit' AND model = '' AND campaign_id = {campaign:String}
      AND at <= {until:Int64} AND if(length(measures) > 4, measures[5 * {model:UInt8}], measures[1]) != 0
      AND (shard, id) NOT IN (
          SELECT shard, other_id FROM {database}.ledger
          WHERE run = {run:String} AND kind = 'transaction' AND other_id != '' AND at > {until:Int64}
      )
      AND customer NOT IN (
          SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
      )
)
GROUP BY place, customer, shard, at, id
FORMAT RowBinary
