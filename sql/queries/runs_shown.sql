SELECT
    states.run AS run, states.state AS state, states.settings AS settings,
    asked.from_ms AS from_ms, asked.to_ms AS to_ms,
    if(states.state = 'live', read.events, states.events) AS events,
    if(states.state = 'live', NULL, states.total) AS total,
    ledger_rows.count AS rows,
    formatDateTime(states.began_at, '%FT%TZ', 'UTC') AS began_at, formatDateTime(states.ended_at, '%FT%TZ', 'UTC') AS ended_at,
    states.cause AS cause
FROM {database}.run_states AS states
LEFT JOIN (SELECT run, from_ms, to_ms FROM {database}.replays FINAL) AS asked ON states.run = asked.run
LEFT JOIN (SELECT toString(run) AS run, count() AS count FROM {database}.ledger GROUP BY run) AS ledger_rows
    ON states.run = ledger_rows.run
LEFT JOIN (
    SELECT toString(run) AS run, sum(next_offset) AS events FROM {database}.positions
    WHERE topic NOT IN ('bank.campaigns.v1', 'bank.customers.v1') GROUP BY run
) AS read ON states.run = read.run
ORDER BY states.state = 'live' DESC, states.began_at DESC, states.run
