-- A replay that ends before an instant has read on, for its watermarks and verdicts are those of the whole log. But what came at that
-- instant or later counts nowhere in it: its clock ends there, or windows would look over and returns complete that are not.

-- As it was (0037), but for the end of the run's range, which is excluded.
CREATE OR REPLACE VIEW {database}.run_clocks AS
SELECT
    positions.run AS run,
    runs.zone AS zone,
    fromUnixTimestamp64Milli(
        max(if(bounded.run = '', positions.watermark_ms, least(positions.watermark_ms, assumeNotNull(bounded.to_ms) - 1))), 'UTC'
    ) AS as_of,
    toDate(formatDateTime(as_of, '%F', runs.zone)) AS today
FROM (
    SELECT run, argMax(measures[2], version) AS watermark_ms
    FROM {database}.ledger
    WHERE kind = 'position'
    GROUP BY run, shard, label
) AS positions
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS runs ON positions.run = runs.run
LEFT JOIN (SELECT run, to_ms FROM {database}.replays FINAL WHERE to_ms IS NOT NULL) AS bounded ON positions.run = bounded.run
WHERE positions.watermark_ms > 0
GROUP BY run, zone;

-- As it was (0037), but for the same; the day is the one up to whose beginning the transactions are known.
CREATE OR REPLACE VIEW {database}.run_days AS
SELECT
    positions.run AS run,
    max(toDate(formatDateTime(fromUnixTimestamp64Milli(
        if(bounded.run = '', positions.watermark_ms, least(positions.watermark_ms, assumeNotNull(bounded.to_ms))), 'UTC'
    ), '%F', runs.zone))) AS as_of
FROM (
    SELECT run, argMax(measures[2], version) AS watermark_ms
    FROM {database}.ledger
    WHERE kind = 'position' AND label = 'bank.transactions.v1'
    GROUP BY run, shard
) AS positions
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS runs ON positions.run = runs.run
LEFT JOIN (SELECT run, to_ms FROM {database}.replays FINAL WHERE to_ms IS NOT NULL) AS bounded ON positions.run = bounded.run
WHERE positions.watermark_ms > 0
GROUP BY run;

-- As it was (0030), but for the same.
CREATE OR REPLACE VIEW {database}.campaign_budget AS
WITH
    spending AS (
        SELECT run, campaign_id, sum(cost_minor) AS spent
        FROM {database}.segment_totals
        WHERE segment = 'tier' AND model = ''
        GROUP BY run, campaign_id
    ),
    clock AS (
        SELECT
            positions.run AS run,
            max(if(bounded.run = '', positions.watermark_ms, least(positions.watermark_ms, assumeNotNull(bounded.to_ms) - 1))) AS now_ms
        FROM {database}.positions AS positions
        LEFT JOIN (SELECT run, to_ms FROM {database}.replays FINAL WHERE to_ms IS NOT NULL) AS bounded ON positions.run = bounded.run
        WHERE positions.watermark_ms > -4611686018427387904  -- the watermark of a partition that has had no event
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
