-- alert_touches as of blocks: a version of each shard; what is later than the instant `now` by the minute that ends after it
SELECT
    toUInt32(transform(campaign_id, {campaigns:Array(String)}, range(length({campaigns:Array(String)})), 0)) AS place,
    toInt64(floor(at / 3600000)) AS hour,
    greatest(toInt64(ceil(at / 60000)), {now:Int64}) AS minute,
    toInt64(countIf(bitTest(flags, 2))) AS creditable,
    sum(toInt128(measures[1])) AS cost_minor
FROM {database}.ledger FINAL
PREWHERE run = {run:String} AND kind = 'touch' AND campaign_id IN {campaigns:Array(String)}
WHERE version <= transform(shard, {shards:Array(UInt32)}, {until:Array(UInt64)}, toUInt64(0))
  AND customer NOT IN (
      SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
  )
GROUP BY place, hour, minute
ORDER BY place, hour, minute
FORMAT RowBinary
