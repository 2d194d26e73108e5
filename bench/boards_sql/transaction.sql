INSERT INTO {database}.ledger
    (run, kind, shard, at, id, customer, tier, channel, category, product, scenario, flags, measures, version)
SELECT
    'live', 'transaction', number % {customers} % {shards},
    {begin_ms} + toInt64(intHash64(number + 1) % {span_ms}), concat('seed-payment-', toString(number)),
    lower(hex(MD5(toString(number % {customers})))), ['a', 'b', 'c', 'd'][1 + number % {customers} % 4],
    ['app', 'web', 'mini_program', 'counter', 'atm'][1 + number % 5],
    ['transfer', 'payment', 'card_spend', 'deposit', 'withdrawal', 'wealth_purchase', 'account_open', 'other'][1 + intDiv(number, 3) % 8],
    '', if(number % 5 = 0, 'metro', ''), 16 * (number % 4 = 0) + 32, [1000 + number % 100000, number % 500, 0], 4294967297
FROM numbers({customers} * 3)
