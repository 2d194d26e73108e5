INSERT INTO {database}.ledger
    (run, kind, shard, campaign_id, label, at, id, customer, tier, channel, category, flags, measures, version)
SELECT
    'live', 'touch', number % {customers} % {shards},
    concat('campaign-', leftPad(toString(intHash32(number) % {campaigns}), 3, '0')), ['x', 'y'][1 + number % 2],
    {begin_ms} + toInt64(intHash64(number) % {span_ms}), concat('seed-touch-', toString(number)),
    lower(hex(MD5(toString(number % {customers})))), ['a', 'b', 'c', 'd'][1 + number % {customers} % 4],
    ['app_push', 'sms', 'wecom', 'call', 'branch'][1 + number % 5],
    ['send', 'view', 'click', 'voucher_issue', 'voucher_redeem'][1 + intDiv(number, 7) % 5],
    4 + number % 2 + 2 * (number % 3 = 0), [20 + number % 100], 4294967297
FROM numbers({customers} * 3)
