SELECT topic, kind, cause, remedy, halted_at
FROM halted_topics
WHERE run = ${run:singlequote}
ORDER BY halted_at, topic
