-- one campaign's touches and their own cost by segment of every dimension, and by hour
SELECT
    dimension, segment, toInt64(floor(at / 3600000)) AS hour, countIf(bitTest(flags, 2)),
    toString(sum(toInt128(measures[1])))
FROM (
    SELECT at, flags, measures, toString(channel) AS by_channel, toString(label) AS by_variant, toString(tier) AS by_tier
    FROM {database}.ledger FINAL
    PREWHERE run = {run:String} AND kind = 'touch' AND campaign_id = {campaign:String} AND at <= {until:Int64}
    WHERE customer NOT IN (
        SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
    )
)
ARRAY JOIN ['channel', 'variant', 'tier'] AS dimension, [by_channel, by_variant, by_tier] AS segment
GROUP BY dimension, segment, hour
ORDER BY dimension, segment, hour
FORMAT JSONCompactEachRow
