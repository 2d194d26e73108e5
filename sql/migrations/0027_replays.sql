-- Runs beside live: what a replay was asked for, how far it has come, and what it counts with.
--
-- The ledger's kinds that say what live decided by the wall clock, so that a replay repeats it (pipeline/worker/verdicts.py):
--
-- kind      label  at      measures
-- takeover  topic  offset  watermark ms that the topic, being silent, had taken over before it was read from there on
-- future    topic  offset  0; the record there was from the future, and no dead letter says so (its customer is erased)
--
-- A ledger of before has none of either: its replays take silent topics over nowhere.
CREATE TABLE IF NOT EXISTS {database}.replays
(
    run       String,
    state     LowCardinality(String) COMMENT 'running, stopped, complete, failed, dropping',
    plan      String COMMENT 'JSON: what was asked for, and the ends of the logs (pipeline/replay/plan.py)',
    settings  String COMMENT 'JSON: settings and definitions that differ from the installation, by name',
    from_ms   Nullable(Int64) COMMENT 'event times that count; null is without a bound',
    to_ms     Nullable(Int64) COMMENT 'excluded',
    total     UInt64 COMMENT 'records to read',
    events    UInt64 COMMENT 'records read and durable',
    cause     String COMMENT 'why it failed or stopped',
    began_at  DateTime64(3, 'UTC'),
    beat_at   DateTime64(3, 'UTC') COMMENT 'last sign of life',
    ended_at  Nullable(DateTime64(3, 'UTC')),
    version   UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY run;

-- Definitions that replays count with, as they were when a replay began, or from its file.
CREATE TABLE IF NOT EXISTS {database}.run_campaigns
(
    run         LowCardinality(String),
    campaign_id String,
    definition  String,
    version     UInt64,
    updated_at  DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (run, campaign_id);

-- How each run stands. A replay that has given no sign of life for 15 s was interrupted.
CREATE OR REPLACE VIEW {database}.run_states AS
SELECT
    known.run AS run,
    multiIf(
        known.run = 'live', 'live',
        replay.run = '', 'unknown',
        replay.state = 'running' AND dateDiff('millisecond', replay.beat_at, now64(3, 'UTC')) >= 15000, 'interrupted',
        toString(replay.state)
    ) AS state,
    if(replay.run = '', '{}', replay.settings) AS settings,
    fromUnixTimestamp64Milli(replay.from_ms, 'UTC') AS from_time,
    fromUnixTimestamp64Milli(replay.to_ms, 'UTC') AS to_time,
    replay.total AS total,
    replay.events AS events,
    replay.cause AS cause,
    if(replay.run = '', record.begun_at, replay.began_at) AS began_at,
    replay.ended_at AS ended_at
FROM (
    SELECT toString(run) AS run FROM {database}.runs
    UNION DISTINCT
    SELECT run FROM {database}.replays
    UNION DISTINCT
    SELECT toString(run) FROM {database}.ledger GROUP BY run
) AS known
LEFT JOIN (SELECT * FROM {database}.replays FINAL) AS replay ON known.run = replay.run
LEFT JOIN (SELECT toString(run) AS run, begun_at FROM {database}.runs FINAL) AS record ON known.run = record.run;
