-- totals by tier and by variant
INSERT INTO {database}.ledger (run, kind, shard, campaign_id, label, chapter, measures, version)
SELECT
    'live', segment.1, number % {shards},
    concat('campaign-', leftPad(toString(intDiv(number, {shards})), 3, '0')), segment.2, 1,
    [30000, 8000, 4000000000, 900, 9000000 + number % 1000, 17000000 + number % 2000, 5000], 4294967297
FROM numbers({shards} * {campaigns})
ARRAY JOIN [('tier', 'a'), ('tier', 'b'), ('tier', 'c'), ('tier', 'd'), ('variant', 'x'), ('variant', 'y'), ('variant', 'control')] AS segment
