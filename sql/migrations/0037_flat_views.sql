-- Views that boards ask all the time, with the same rows and types for less preparing. ClickHouse resolves and plans each view below a
-- question anew (3 to 5 ms of processor time each), so these read their tables instead of other views.

-- As it was (0030): what a definition says, under every run that counts with it.
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
FROM (
    SELECT toString(run) AS run, campaign_id, definition
    FROM {database}.run_campaigns FINAL
    WHERE definition != ''
    UNION ALL
    SELECT counted.run AS run, defined.campaign_id AS campaign_id, defined.definition AS definition
    FROM (
        SELECT arrayJoin(arrayDistinct(arrayPushBack(groupArray(toString(run)), 'live'))) AS run
        FROM {database}.runs
    ) AS counted
    CROSS JOIN (SELECT campaign_id, definition FROM {database}.campaign_log FINAL WHERE definition != '') AS defined
    WHERE counted.run NOT IN (SELECT run FROM {database}.replays)
);

CREATE OR REPLACE VIEW {database}.campaign_plans AS
SELECT
    campaign_id,
    JSONExtractString(definition, 'name') AS name,
    JSONExtractString(definition, 'owner') AS owner,
    JSONExtractString(definition, 'product') AS product,
    parseDateTime64BestEffortOrNull(upper(JSONExtractString(definition, 'starts_at')), 3, 'UTC') AS starts_at,
    parseDateTime64BestEffortOrNull(upper(JSONExtractString(definition, 'ends_at')), 3, 'UTC') AS ends_at,
    JSONExtract(definition, 'budget_minor', 'Nullable(Int64)') AS budget_minor,
    ifNull(JSONExtract(definition, 'min_return_ratio', 'Nullable(Float64)'), 2.0) AS min_return_ratio,
    ifNull(JSONExtract(definition, 'attribution_window_days', 'Nullable(Float64)'), 7.0) AS attribution_window_days
FROM {database}.campaign_log FINAL
WHERE definition != '';

-- As it was (0018), from the rows of the positions: of one key the largest version counts (0035).
CREATE OR REPLACE VIEW {database}.run_clocks AS
SELECT
    positions.run AS run,
    runs.zone AS zone,
    fromUnixTimestamp64Milli(max(positions.watermark_ms), 'UTC') AS as_of,
    toDate(formatDateTime(as_of, '%F', runs.zone)) AS today
FROM (
    SELECT run, argMax(measures[2], version) AS watermark_ms
    FROM {database}.ledger
    WHERE kind = 'position'
    GROUP BY run, shard, label
) AS positions
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS runs ON positions.run = runs.run
WHERE positions.watermark_ms > 0
GROUP BY run, zone;

-- As it was (0008).
CREATE OR REPLACE VIEW {database}.run_days AS
SELECT
    positions.run AS run,
    max(toDate(formatDateTime(fromUnixTimestamp64Milli(positions.watermark_ms, 'UTC'), '%F', runs.zone))) AS as_of
FROM (
    SELECT run, argMax(measures[2], version) AS watermark_ms
    FROM {database}.ledger
    WHERE kind = 'position' AND label = 'bank.transactions.v1'
    GROUP BY run, shard
) AS positions
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS runs ON positions.run = runs.run
WHERE positions.watermark_ms > 0
GROUP BY run;

-- As it was (0035).
CREATE OR REPLACE VIEW {database}.freshness AS
SELECT run, fromUnixTimestamp64Milli(max(written_ms), 'UTC') AS updated_at
FROM (
    SELECT run, argMax(measures[6], version) AS written_ms
    FROM {database}.ledger
    WHERE kind = 'position'
    GROUP BY run, shard, label
)
GROUP BY run;
