INSERT INTO {database}.ledger (run, kind, shard, id, tier, measures, version)
SELECT 'live', 'profile', number % {shards}, lower(hex(MD5(toString(number)))), ['a', 'b', 'c', 'd'][1 + number % 4], [{begin_ms}], 4294967297
FROM numbers({customers})
