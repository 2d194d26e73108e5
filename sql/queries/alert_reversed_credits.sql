-- credits of the transactions that reversals after `since` have changed
SELECT
    shard, id, at, customer, campaign_id, label, category, tier, other_id, measures[5 * {model:UInt8} - 1] AS touched_at,
    if(length(measures) > 4, measures[5 * {model:UInt8}], measures[1]) AS booked
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'credit' AND model = ''
  AND ({everywhere:UInt8} = 1 OR campaign_id IN {campaigns:Array(String)})
  AND at <= {until:Int64} AND booked != 0
  AND (empty({instants:Array(Int64)}) OR at IN {instants:Array(Int64)})
  AND (empty({only:Array(String)}) OR id IN {only:Array(String)})
  AND (shard, id) IN (
      SELECT shard, other_id FROM {database}.ledger
      WHERE run = {run:String} AND kind = 'transaction' AND other_id != '' AND at > {since:Int64}
  )
  AND ({everywhere:UInt8} = 0 OR (shard, id) IN (
      SELECT shard, id FROM {database}.ledger
      WHERE run = {run:String} AND kind = 'credit' AND model = ''
        AND campaign_id IN {campaigns:Array(String)} AND at <= {until:Int64}
  ))
  AND customer NOT IN (
      SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
  )
ORDER BY shard, id, at, touched_at, other_id
FORMAT JSONCompactEachRow
