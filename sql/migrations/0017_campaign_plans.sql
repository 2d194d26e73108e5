-- What boards show of a campaign's definition, by name. Columns that a definition leaves out have the contract's defaults
-- (section 2); owner and product are '' then, ends_at and budget_minor null.
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
FROM {database}.campaign_definitions;
