SELECT
    id AS transaction_event_id, other_id AS touch_event_id, at AS at_ms, measures[4] AS touched_at_ms,
    customer AS customer_hash, label AS variant, tier, measures[1] AS credit_millionths, measures[2] AS return_minor,
    measures[3] AS aum_minor
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'credit' AND campaign_id = {campaign:String} AND model = '' AND measures[1] != 0
  AND ({by_variant:UInt8} = 0 OR label = {variant:String})
  AND ({by_tier:UInt8} = 0 OR tier = {tier:String})
  AND ({customer:String} = '' OR customer = {customer:String})
ORDER BY at_ms DESC, transaction_event_id, touch_event_id
LIMIT {limit:UInt64}
