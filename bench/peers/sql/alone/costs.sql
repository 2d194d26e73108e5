INSERT INTO alone.costs
SELECT campaign_id, event_id, parseDateTime64BestEffort(occurred_at, 3), amount_minor
FROM file('{folder}/bank.costs.v1', JSONEachRow, 'campaign_id String, event_id String, occurred_at String, amount_minor Int64')
SETTINGS input_format_parallel_parsing = 0, max_threads = 2
