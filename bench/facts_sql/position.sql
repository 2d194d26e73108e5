INSERT INTO roi.ledger (run, kind, shard, label, measures, version)
SELECT
    'bench', 'position', lane * 65536 + number, if(lane = 0, 'bank.transactions.v1', 'bank.costs.v1'),
    [0, {watermark}, 0, 0, 0, 0, 3], 4294967296 + {version}
FROM numbers({shards}) AS partitions
CROSS JOIN (SELECT arrayJoin([0, 1]) AS lane) AS lanes
