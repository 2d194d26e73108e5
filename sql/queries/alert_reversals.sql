-- transactions that reversals after `since` name, and every reversal of theirs; originals at `instants`
SELECT
    shard, customer, at, id, other_id, category, if(product = '', NULL, product), measures[1],
    if(bitTest(flags, 5), measures[2], NULL), tier
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'transaction' AND at >= {first:Int64}
  AND (empty({only:Array(String)}) OR id IN {only:Array(String)} OR other_id IN {only:Array(String)})
  AND (
      (other_id = '' AND (shard, id) IN (
          SELECT shard, other_id FROM {database}.ledger
          WHERE run = {run:String} AND kind = 'transaction' AND other_id != '' AND at > {since:Int64}
      ))
      OR (other_id != '' AND (shard, other_id) IN (
          SELECT shard, other_id FROM {database}.ledger
          WHERE run = {run:String} AND kind = 'transaction' AND other_id != '' AND at > {since:Int64}
      ))
  )
ORDER BY at, id
FORMAT JSONCompactEachRow
