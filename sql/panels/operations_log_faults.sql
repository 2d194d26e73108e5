SELECT
    topic,
    fault,
    uniqExact(partition) AS partitions,
    sum(greatest(next_offset - log_end, 0)) AS lost_by_broker,
    sum(greatest(log_start - next_offset, 0)) AS deleted_unread,
    max(found_at) AS newest_at
FROM log_faults
WHERE run = ${run:singlequote}
    AND found_at >= $__fromTime_ms
    AND (found_at <= $__toTime_ms OR $__toTime_ms >= (SELECT max(as_of) FROM run_clocks WHERE run = ${run:singlequote}))
GROUP BY topic, fault
ORDER BY newest_at DESC, topic, fault
