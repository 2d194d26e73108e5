-- the topics are empty, and read to their end
INSERT INTO {database}.ledger (run, kind, shard, label, measures, detail, version)
SELECT
    'live', 'position', {lane} * 65536 + number, '{topic}',
    [0, {begin_ms} + {span_ms}, 1000000, 0, 0, {begin_ms} + {span_ms}, 3], '{topic_id}', 4294967297
FROM numbers({shards})
