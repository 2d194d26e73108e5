INSERT INTO {database}.ledger (run, kind, shard, campaign_id, at, id, category, measures, version)
SELECT
    'live', 'cost', 65536 + number % {shards}, concat('campaign-', leftPad(toString(number % {campaigns}), 3, '0')),
    {begin_ms} + toInt64(intHash64(number + 2) % {span_ms}), concat('seed-cost-', toString(number)),
    ['media', 'incentive', 'labour', 'platform', 'other'][1 + intDiv(number, {campaigns}) % 5], [10000], 4294967297
FROM numbers({campaigns} * {days} * 4)
