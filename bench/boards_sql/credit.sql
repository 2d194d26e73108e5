INSERT INTO {database}.ledger
    (run, kind, shard, campaign_id, label, at, id, other_id, customer, tier, category, measures, version)
SELECT
    'live', 'credit', number % {customers} % {shards},
    concat('campaign-', leftPad(toString(intHash32(number) % {campaigns}), 3, '0')), ['x', 'y'][1 + number % 2],
    {begin_ms} + toInt64(intHash64(number + 1) % {span_ms}) AS at, concat('seed-payment-', toString(number)),
    concat('seed-touch-', toString(number)), lower(hex(MD5(toString(number % {customers})))),
    ['a', 'b', 'c', 'd'][1 + number % {customers} % 4], 'payment',
    [1000000, number % 500, 100, at - 3600000 * (1 + number % 90), 1000000], 4294967297
FROM numbers({customers})
