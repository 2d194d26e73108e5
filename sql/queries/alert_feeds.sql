-- how far each partition is durable, and what its records were so far
SELECT
    label AS topic, detail AS topic_id, bitAnd(shard, 65535) AS partition, measures[1] AS next_offset,
    measures[2] AS watermark_ms, measures[3] AS accepted, measures[4] AS duplicates, measures[5] AS dead_letters
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'position'
ORDER BY topic, partition
FORMAT JSONCompactEachRow
