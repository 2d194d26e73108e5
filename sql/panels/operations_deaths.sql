SELECT at, host, owner, cause
FROM worker_deaths
WHERE run = ${run:singlequote}
    AND at >= $__fromTime_ms
    AND (at <= $__toTime_ms OR $__toTime_ms >= (SELECT max(as_of) FROM run_clocks WHERE run = ${run:singlequote}))
ORDER BY at DESC, host, owner
