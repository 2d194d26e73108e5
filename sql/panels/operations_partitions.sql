-- behind the newest event of the run, as in operations_topics
WITH (SELECT max(watermark_ms) FROM positions WHERE run = ${run:singlequote}) AS newest_ms
SELECT
    positions.topic AS topic,
    partition,
    next_offset,
    accepted,
    fromUnixTimestamp64Milli(if(watermark_ms > 0, watermark_ms, NULL), 'UTC') AS watermark,
    (newest_ms - if(watermark_ms > 0, watermark_ms, NULL)) / 1000 AS behind_seconds,
    written_at AS newest_block_at
FROM positions
WHERE positions.run = ${run:singlequote}
ORDER BY behind_seconds DESC NULLS FIRST, topic, partition
