-- One more kind of the ledger beside those of 0027:
--
-- kind     label  at      id
-- revived  topic  offset  customer who had been erased and counts again from this offset of the topic on
--
-- The definitions that a run counts with: those of its replay (run_campaigns, 0027), or live's where no replay has filled it.
CREATE OR REPLACE VIEW {database}.run_definitions AS
SELECT toString(run) AS run, campaign_id, definition, updated_at
FROM {database}.run_campaigns FINAL
WHERE definition != ''
UNION ALL
SELECT counted.run AS run, defined.campaign_id AS campaign_id, defined.definition AS definition, defined.updated_at AS updated_at
FROM (
    SELECT run
    FROM (SELECT 'live' AS run UNION DISTINCT SELECT toString(run) FROM {database}.runs)
    WHERE run NOT IN (SELECT run FROM {database}.replays)
) AS counted
CROSS JOIN {database}.campaign_definitions AS defined;

-- What boards show of a campaign's definition within a run; the columns are those of campaign_plans (0017), which is live's.
CREATE OR REPLACE VIEW {database}.run_plans AS
SELECT
    run, campaign_id,
    JSONExtractString(definition, 'name') AS name,
    JSONExtractString(definition, 'owner') AS owner,
    JSONExtractString(definition, 'product') AS product,
    parseDateTime64BestEffortOrNull(upper(JSONExtractString(definition, 'starts_at')), 3, 'UTC') AS starts_at,
    parseDateTime64BestEffortOrNull(upper(JSONExtractString(definition, 'ends_at')), 3, 'UTC') AS ends_at,
    JSONExtract(definition, 'budget_minor', 'Nullable(Int64)') AS budget_minor,
    ifNull(JSONExtract(definition, 'min_return_ratio', 'Nullable(Float64)'), 2.0) AS min_return_ratio,
    ifNull(JSONExtract(definition, 'attribution_window_days', 'Nullable(Float64)'), 7.0) AS attribution_window_days
FROM {database}.run_definitions;

-- As it was (0012), by the definitions of each run.
CREATE OR REPLACE VIEW {database}.campaign_budget AS
WITH
    spending AS (
        SELECT run, campaign_id, sum(cost_minor) AS spent
        FROM {database}.segment_totals
        WHERE segment = 'tier' AND model = ''
        GROUP BY run, campaign_id
    ),
    clock AS (
        SELECT run, max(watermark_ms) AS now_ms
        FROM {database}.positions
        WHERE watermark_ms > -4611686018427387904  -- the watermark of a partition that has had no event
        GROUP BY run
    ),
    plans AS (
        SELECT
            run,
            campaign_id,
            JSONExtract(definition, 'budget_minor', 'Nullable(Int64)') AS budget,
            parseDateTime64BestEffortOrNull(upper(JSONExtractString(definition, 'starts_at')), 3, 'UTC') AS starts,
            parseDateTime64BestEffortOrNull(upper(JSONExtractString(definition, 'ends_at')), 3, 'UTC') AS ends
        FROM {database}.run_definitions
    ),
    campaigns AS (
        SELECT toString(run) AS run, toString(campaign_id) AS campaign FROM spending
        UNION DISTINCT
        SELECT run, campaign_id FROM plans WHERE run IN (SELECT run FROM {database}.runs)
    )
SELECT
    campaigns.run AS run, campaigns.campaign AS campaign_id,
    plans.starts AS starts_at, plans.ends AS ends_at,
    if(clock.run = '', NULL, fromUnixTimestamp64Milli(clock.now_ms, 'UTC')) AS as_of,
    plans.budget AS budget_minor,
    spending.spent AS spent_minor,
    budget_minor - spent_minor AS remaining_minor,
    if(budget_minor = 0, NULL, spent_minor / budget_minor) AS spent_share,
    if(ends_at > starts_at,
       greatest(0, least(1, (toUnixTimestamp64Milli(as_of) - toUnixTimestamp64Milli(starts_at))
                            / (toUnixTimestamp64Milli(ends_at) - toUnixTimestamp64Milli(starts_at)))), NULL) AS elapsed_share,
    if(elapsed_share = 0, NULL, spent_share / elapsed_share) AS pace,
    if(elapsed_share = 0, NULL, spent_minor / elapsed_share) AS projected_minor,
    vouchers.open_liability_minor AS open_liability_minor
FROM campaigns
LEFT JOIN spending ON campaigns.run = spending.run AND campaigns.campaign = spending.campaign_id
LEFT JOIN plans ON campaigns.run = plans.run AND campaigns.campaign = plans.campaign_id
LEFT JOIN clock ON campaigns.run = clock.run
LEFT JOIN {database}.campaign_vouchers AS vouchers
    ON campaigns.run = vouchers.run AND campaigns.campaign = vouchers.campaign_id;

-- As it was (0027), without a look through the whole ledger: every run has a record.
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
) AS known
LEFT JOIN (SELECT * FROM {database}.replays FINAL) AS replay ON known.run = replay.run
LEFT JOIN (SELECT toString(run) AS run, begun_at FROM {database}.runs FINAL) AS record ON known.run = record.run;
