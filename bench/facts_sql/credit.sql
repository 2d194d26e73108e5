INSERT INTO roi.ledger
    (run, kind, shard, campaign_id, at, id, other_id, customer, tier, channel, category, flags, measures, version)
SELECT
    'bench', 'credit', 0 + number % {shards},
    concat('campaign-', toString({start} + intDiv(number, {each}))),
    toInt64({begin} + intDiv(number % {each} * {span}, {each}) + number % 977) AS at,
    concat('credit-{version}-', toString({start} * {each} + number)),
    concat('touch-', toString(number)), lower(hex(MD5(toString({start} * {each} + number)))), 'a', 'app', 'deposit', 0, [1000000, 5000 + number % 5000, 0, at - 3600000 * (1 + number % 90), 1000000], 4294967296 + {version}
FROM numbers({count})
