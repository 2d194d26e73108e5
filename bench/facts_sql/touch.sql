INSERT INTO roi.ledger
    (run, kind, shard, campaign_id, at, id, other_id, customer, tier, channel, category, flags, measures, version)
SELECT
    'bench', 'touch', 0 + number % {shards},
    concat('campaign-', toString({start} + intDiv(number, {each}))),
    toInt64({begin} + intDiv(number % {each} * {span}, {each}) + number % 977) AS at,
    concat('touch-{version}-', toString({start} * {each} + number)),
    '', lower(hex(MD5(toString({start} * {each} + number)))), 'a', 'app', 'send', 4, [20], 4294967296 + {version}
FROM numbers({count})
