-- what reversals have left of every hundredth transaction
INSERT INTO {database}.ledger (run, kind, shard, at, id, measures, version)
SELECT
    'live', 'adjustment', number * 100 % {customers} % {shards},
    {begin_ms} + toInt64(intHash64(number * 100 + 1) % {span_ms}), concat('seed-payment-', toString(number * 100)),
    [if(number % 2 = 0, 0, 500)], 4294967297
FROM numbers(intDiv({customers} * 3, 100))
