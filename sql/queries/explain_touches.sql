-- by_*: 0 takes every value; a variant or tier may itself be ''; `kind` unqualified would be the touch's
SELECT
    id AS event_id, at AS at_ms, customer AS customer_hash, label AS variant, tier, channel, category AS kind,
    bitTest(flags, 2) AS creditable, measures[1] AS cost_minor, bitAnd(shard, 65535) AS partition, source AS offset
FROM {database}.ledger AS facts FINAL
WHERE run = {run:String} AND facts.kind = 'touch' AND campaign_id = {campaign:String}
  AND ({by_variant:UInt8} = 0 OR label = {variant:String})
  AND ({by_tier:UInt8} = 0 OR tier = {tier:String})
  AND ({customer:String} = '' OR customer = {customer:String})
ORDER BY at_ms DESC, event_id
LIMIT {limit:UInt64}
