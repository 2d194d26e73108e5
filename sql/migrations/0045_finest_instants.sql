-- An instant may be written with any number of digits of a second; ClickHouse reads 19 at most, and made no time at all of more. What is
-- finer than a millisecond is cut off before it is read, as everywhere (section 2 of the contract).

-- As it was (0037), but for that.
CREATE OR REPLACE VIEW {database}.run_plans AS
SELECT
    run, campaign_id,
    JSONExtractString(definition, 'name') AS name,
    JSONExtractString(definition, 'owner') AS owner,
    JSONExtractString(definition, 'product') AS product,
    parseDateTime64BestEffortOrNull(
        replaceRegexpOne(upper(JSONExtractString(definition, 'starts_at')), '([.][0-9]{3})[0-9]+', '\\1'), 3, 'UTC'
    ) AS starts_at,
    parseDateTime64BestEffortOrNull(
        replaceRegexpOne(upper(JSONExtractString(definition, 'ends_at')), '([.][0-9]{3})[0-9]+', '\\1'), 3, 'UTC'
    ) AS ends_at,
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

-- As it was (0037), but for the same.
CREATE OR REPLACE VIEW {database}.campaign_plans AS
SELECT
    campaign_id,
    JSONExtractString(definition, 'name') AS name,
    JSONExtractString(definition, 'owner') AS owner,
    JSONExtractString(definition, 'product') AS product,
    parseDateTime64BestEffortOrNull(
        replaceRegexpOne(upper(JSONExtractString(definition, 'starts_at')), '([.][0-9]{3})[0-9]+', '\\1'), 3, 'UTC'
    ) AS starts_at,
    parseDateTime64BestEffortOrNull(
        replaceRegexpOne(upper(JSONExtractString(definition, 'ends_at')), '([.][0-9]{3})[0-9]+', '\\1'), 3, 'UTC'
    ) AS ends_at,
    JSONExtract(definition, 'budget_minor', 'Nullable(Int64)') AS budget_minor,
    ifNull(JSONExtract(definition, 'min_return_ratio', 'Nullable(Float64)'), 2.0) AS min_return_ratio,
    ifNull(JSONExtract(definition, 'attribution_window_days', 'Nullable(Float64)'), 7.0) AS attribution_window_days
FROM {database}.campaign_log FINAL
WHERE definition != '';

-- As it was (0041), but for the same.
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
            parseDateTime64BestEffortOrNull(
                replaceRegexpOne(upper(JSONExtractString(definition, 'starts_at')), '([.][0-9]{3})[0-9]+', '\\1'), 3, 'UTC'
            ) AS starts,
            parseDateTime64BestEffortOrNull(
                replaceRegexpOne(upper(JSONExtractString(definition, 'ends_at')), '([.][0-9]{3})[0-9]+', '\\1'), 3, 'UTC'
            ) AS ends
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
