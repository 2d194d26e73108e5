-- every minute of every campaign, each on one shard; every tenth again in a later chapter
INSERT INTO {database}.ledger (run, kind, shard, campaign_id, at, chapter, measures, version)
SELECT
    'live', 'minute', (number + at) % {shards},
    concat('campaign-', leftPad(toString(intDiv(number, {days} * 1440)), 3, '0')),
    toInt64({begin_day} * 1440 + number % ({days} * 1440)) AS at, chapter,
    [1 + intHash32(number) % 3, number % 2, 300000 * (number % 4 = 0), number % 8 = 0, 100 + intHash32(number) % 900,
     1500 * (number % 4 = 0), 100 * (number % 4 = 0)],
    4294967296 + chapter
FROM numbers({campaigns} * {days} * 1440)
ARRAY JOIN if(number % 10 = 0, [1, 2], [1]) AS chapter
