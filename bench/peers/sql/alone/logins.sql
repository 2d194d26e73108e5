INSERT INTO alone.logins
SELECT customer_id, event_id, parseDateTime64BestEffort(occurred_at, 3), session_seconds, automated
FROM file('{folder}/bank.logins.v1', JSONEachRow, 'customer_id String, event_id String, occurred_at String, session_seconds Nullable(Float32), automated Bool')
SETTINGS input_format_parallel_parsing = 0, max_threads = 2
