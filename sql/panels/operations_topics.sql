-- behind the newest event of the run, not its clock, which ends with the range that a replay counts
WITH (SELECT max(watermark_ms) FROM positions WHERE run = ${run:singlequote}) AS newest_ms
SELECT
    positions.topic AS topic,
    if(topic IN (SELECT topic FROM halted_topics WHERE run = ${run:singlequote}), 'halted', 'reading') AS state,
    uniqExact(partition) AS partitions,
    sum(positions.accepted) AS accepted,
    sum(positions.duplicates) AS duplicates,
    sum(positions.dead_letters) AS refused,
    if(accepted + duplicates + refused = 0, NULL, duplicates / (accepted + duplicates + refused)) AS duplicate_share,
    if(accepted + duplicates + refused = 0, NULL, refused / (accepted + duplicates + refused)) AS refused_share,
    fromUnixTimestamp64Milli(maxOrNullIf(watermark_ms, watermark_ms > 0), 'UTC') AS watermark,
    (newest_ms - minOrNullIf(watermark_ms, watermark_ms > 0)) / 1000 AS behind_seconds,
    max(written_at) AS newest_block_at,
    dateDiff('second', newest_block_at, now64(3)) AS block_age_seconds
FROM positions
WHERE positions.run = ${run:singlequote}
GROUP BY topic
ORDER BY topic
