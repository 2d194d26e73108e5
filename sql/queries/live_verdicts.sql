-- what live decided by the wall clock; dead letters do not name the life of a topic: those of before its last one are left out
SELECT kind, topic, partition, offset, watermark, topic_id, customer
FROM (
    SELECT
        toString(kind) AS kind, toString(label) AS topic, bitAnd(shard, 65535) AS partition, at AS offset,
        measures[1] AS watermark, detail AS topic_id, id AS customer
    FROM {database}.ledger FINAL
    WHERE run = {source:String} AND kind IN ('takeover', 'future', 'revived')
    UNION ALL
    SELECT 'future', toString(letters.label), letters.lag, letters.source, 0, '', ''
    FROM (
        SELECT label, lag, source, measures[1] AS at_ms
        FROM {database}.ledger FINAL
        WHERE run = {source:String} AND kind = 'dead_letter' AND other_id = 'from_the_future'
    ) AS letters
    LEFT JOIN (
        SELECT topic, partition, toUnixTimestamp64Milli(max(found_at)) AS since_ms
        FROM {database}.log_faults
        WHERE run = {source:String} AND fault = 'recreated'
        GROUP BY topic, partition
    ) AS lives ON toString(letters.label) = lives.topic AND letters.lag = lives.partition
    WHERE letters.at_ms >= lives.since_ms
    UNION ALL
    -- who came back while that was not recorded yet: nobody knows from where on, so nothing of them is counted
    SELECT 'revived', topic, bitAnd(shard, 65535), 4611686018427387904, 0, '', id
    FROM {database}.ledger FINAL
    ARRAY JOIN ['bank.logins.v1', 'bank.transactions.v1', 'bank.touches.v1'] AS topic
    WHERE run = {source:String} AND kind = 'erased' AND measures[1] = 4
        AND (shard, id) NOT IN (SELECT shard, id FROM {database}.ledger WHERE run = {source:String} AND kind = 'revived')
)
FORMAT JSONCompactEachRow
