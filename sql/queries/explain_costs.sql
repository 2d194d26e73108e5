-- cost events know no customer, and stand under tier ''
SELECT
    id AS event_id, at AS at_ms, label AS variant, category, measures[1] AS amount_minor,
    bitAnd(shard, 65535) AS partition, source AS offset
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'cost' AND campaign_id = {campaign:String}
  AND ({by_variant:UInt8} = 0 OR label = {variant:String})
  AND ({by_tier:UInt8} = 0 OR {tier:String} = '')
  AND {customer:String} = ''
ORDER BY at_ms DESC, event_id
LIMIT {limit:UInt64}
