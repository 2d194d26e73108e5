SELECT
    topic,
    reason,
    count() AS letters,
    max(at) AS newest_at,
    argMax(detail, (at, partition, offset)) AS newest_detail,
    argMax(concat(toString(partition), ':', toString(offset)), (at, partition, offset)) AS newest_place
FROM dead_letters
WHERE run = ${run:singlequote}
    AND at >= $__fromTime_ms
    AND (at <= $__toTime_ms OR $__toTime_ms >= (SELECT max(as_of) FROM run_clocks WHERE run = ${run:singlequote}))
GROUP BY topic, reason
ORDER BY letters DESC, topic, reason
