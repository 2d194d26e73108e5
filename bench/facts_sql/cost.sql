INSERT INTO roi.ledger
    (run, kind, shard, campaign_id, at, id, other_id, customer, tier, channel, category, flags, measures, version)
SELECT
    'bench', 'cost', 65536 + number % {shards},
    concat('campaign-', toString({start} + intDiv(number, {each}))),
    toInt64({begin} + intDiv(number % {each} * {span}, {each}) + number % 977) AS at,
    concat('cost-{version}-', toString({start} * {each} + number)),
    '', '', 'a', 'app', 'media', 0, [10000], 4294967296 + {version}
FROM numbers({count})
