-- What operators and `roi status`, `roi drain`, `roi dlq` read.

CREATE OR REPLACE VIEW {database}.dead_letters AS
SELECT
    run, label AS topic, lag AS partition, source AS offset, other_id AS reason, detail,
    fromUnixTimestamp64Milli(measures[1], 'UTC') AS at
FROM {database}.ledger FINAL
WHERE kind = 'dead_letter';

-- How far each topic partition has been made durable.
CREATE OR REPLACE VIEW {database}.positions AS
SELECT
    run, label AS topic, bitAnd(shard, 65535) AS partition, detail AS topic_id,
    measures[1] AS next_offset,
    measures[2] AS watermark_ms,
    measures[3] AS accepted,
    measures[4] AS duplicates,
    measures[5] AS dead_letters,
    fromUnixTimestamp64Milli(measures[6], 'UTC') AS written_at
FROM {database}.ledger FINAL
WHERE kind = 'position';
