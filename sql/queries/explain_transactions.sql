-- the transactions of the credits that explain_credits lists, and what takes them back; the left amount comes from the
-- adjustment that the worker wrote when a reversal was counted
WITH credited AS (
    SELECT DISTINCT shard, id, at
    FROM (
        SELECT shard, id, at
        FROM {database}.ledger FINAL
        WHERE run = {run:String} AND kind = 'credit' AND campaign_id = {campaign:String} AND model = ''
          AND measures[1] != 0
          AND ({by_variant:UInt8} = 0 OR label = {variant:String})
          AND ({by_tier:UInt8} = 0 OR tier = {tier:String})
          AND ({customer:String} = '' OR customer = {customer:String})
        ORDER BY at DESC, id, other_id
        LIMIT {limit:UInt64}
    )
)
SELECT
    facts.id AS event_id, facts.at AS at_ms, facts.customer AS customer_hash, facts.category AS kind,
    facts.product AS product, facts.channel AS channel, facts.measures[1] AS amount_minor,
    multiIf(facts.other_id != '', NULL, adjustments.id = '', facts.measures[1], adjustments.effective_minor) AS effective_minor,
    facts.other_id AS reverses, bitAnd(facts.shard, 65535) AS partition, facts.source AS offset
FROM (
    SELECT shard, id, other_id, at, customer, category, product, channel, measures, source
    FROM {database}.ledger FINAL
    WHERE run = {run:String} AND kind = 'transaction'
      AND ((other_id = '' AND (shard, id, at) IN credited)
           OR (other_id != '' AND (shard, other_id) IN (SELECT shard, id FROM credited)))
) AS facts
LEFT JOIN (
    SELECT shard, id, at, measures[1] AS effective_minor
    FROM {database}.ledger FINAL
    WHERE run = {run:String} AND kind = 'adjustment' AND (shard, id, at) IN credited
) AS adjustments ON facts.shard = adjustments.shard AND facts.id = adjustments.id AND facts.at = adjustments.at
ORDER BY at_ms DESC, event_id
