-- ten days of every customer
INSERT INTO {database}.ledger (run, kind, shard, at, id, tier, flags, version)
SELECT
    'live', 'login', intDiv(number, 10) % {shards}, {begin_day} + (intDiv(number, 10) * 7 + number % 10 * 9) % {days},
    lower(hex(MD5(toString(intDiv(number, 10))))), ['a', 'b', 'c', 'd'][1 + intDiv(number, 10) % 4], 8 * (number % 3 > 0), 4294967297
FROM numbers({customers} * 10)
