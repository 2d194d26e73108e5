-- customers whom a run has erased, and the offset before which their records do not count: none, of one who came back that
-- from which they count again
SELECT id AS customer, '' AS topic, toUInt32(0) AS partition, toInt64(4611686018427387904) AS before
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'erased' AND measures[1] != 4
UNION ALL
SELECT id AS customer, toString(label) AS topic, bitAnd(shard, 65535) AS partition, max(at) AS before
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'revived'
GROUP BY customer, topic, partition
