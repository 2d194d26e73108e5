-- what runs count with: settings as text, definitions of how rows count, and the replay's order
SELECT
    states.run AS run, states.state AS state, record.settings AS settings, record.rules AS rules,
    replay.plan AS plan
FROM {database}.run_states AS states
LEFT JOIN (SELECT toString(run) AS run, settings, rules FROM {database}.runs FINAL) AS record ON states.run = record.run
LEFT JOIN (SELECT run, plan FROM {database}.replays FINAL) AS replay ON states.run = replay.run
ORDER BY states.run
