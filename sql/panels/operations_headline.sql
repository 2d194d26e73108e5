SELECT
    sum(accepted) AS accepted,
    sum(duplicates) AS duplicates,
    sum(dead_letters) AS refused,
    max(written_at) AS newest_block_at,
    dateDiff('second', newest_block_at, now64(3)) AS block_age_seconds,
    (SELECT count() FROM halted_topics WHERE run = ${run:singlequote}) AS halted,
    (SELECT count() FROM worker_deaths WHERE run = ${run:singlequote} AND at > now64(3) - INTERVAL 1 DAY) AS deaths,
    (SELECT dateDiff('second', maxOrNull(at), now64(3)) FROM alert_leases) AS evaluator_age_seconds
FROM positions
WHERE run = ${run:singlequote}
HAVING count() > 0
