INSERT INTO {database}.ledger (run, kind, shard, label, at, chapter, measures, version)
SELECT
    'live', 'activity', number % {shards}, ['a', 'b', 'c', 'd'][1 + intDiv(number, {shards}) % 4],
    {begin_day} + intDiv(number, {shards} * 4), 1, [3000, 200, 500, 3500, 600, 10], 4294967297
FROM numbers({shards} * 4 * {days})
