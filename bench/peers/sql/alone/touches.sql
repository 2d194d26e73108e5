INSERT INTO alone.touches
SELECT customer_id, event_id, parseDateTime64BestEffort(occurred_at, 3), campaign_id, cost_minor
FROM file('{folder}/bank.touches.v1', JSONEachRow, 'customer_id String, event_id String, occurred_at String, campaign_id String, cost_minor Int64')
SETTINGS input_format_parallel_parsing = 0, max_threads = 2
