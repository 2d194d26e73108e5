SELECT
    positions.topic AS topic,
    partition,
    next_offset,
    accepted,
    fromUnixTimestamp64Milli(if(watermark_ms > 0, watermark_ms, NULL), 'UTC') AS watermark,
    (toUnixTimestamp64Milli(clock.as_of) - if(watermark_ms > 0, watermark_ms, NULL)) / 1000 AS behind_seconds,
    written_at AS newest_block_at
FROM positions
LEFT JOIN run_clocks AS clock ON positions.run = clock.run
WHERE positions.run = ${run:singlequote}
ORDER BY behind_seconds DESC NULLS FIRST, topic, partition
