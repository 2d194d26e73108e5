INSERT INTO alone.transactions
SELECT customer_id, event_id, parseDateTime64BestEffort(occurred_at, 3), kind, amount_minor, revenue_minor
FROM file('{folder}/bank.transactions.v1', JSONEachRow, 'customer_id String, event_id String, occurred_at String, kind String, amount_minor Int64, revenue_minor Int64')
SETTINGS input_format_parallel_parsing = 0, max_threads = 2
