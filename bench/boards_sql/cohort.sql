INSERT INTO {database}.ledger (run, kind, shard, campaign_id, at, lag, chapter, measures, version)
SELECT
    'live', 'cohort', number % {shards},
    concat('campaign-', leftPad(toString(intDiv(number, {shards}) % {campaigns}), 3, '0')),
    {begin_day} + intDiv(number, {shards} * {campaigns}) % {days} AS day, intDiv(number, {shards} * {campaigns} * {days}) AS lag_day, 1,
    [0, if(lag_day = 0, 700, 0), intDiv(40000000, 1 + lag_day), 0, if(lag_day = 0, 90000, 0), intDiv(60000, 1 + lag_day), 500],
    4294967297
FROM numbers({shards} * {campaigns} * {days} * 8)
