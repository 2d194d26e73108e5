-- Backtests that were kept for a board (roi backtest --keep NAME): of a name the newest counts, whole.
CREATE TABLE IF NOT EXISTS {database}.backtests
(
    name        LowCardinality(String) COMMENT 'as it was kept; that of a run where nothing else was said',
    rule        LowCardinality(String),
    campaign_id String COMMENT 'empty: the rule over all campaigns',
    body        String COMMENT 'JSON, as roi backtest --json prints it of the campaign or the rule (docs/backtest.md)',
    place       UInt16 COMMENT 'of the rule among those compared',
    version     UInt64,
    kept_at     DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (name, rule, campaign_id);

-- Rules side by side in money; amounts in minor units.
CREATE OR REPLACE VIEW {database}.backtest_rules AS
SELECT
    name, rule, place, kept_at,
    JSONExtractString(body, 'decides_by') AS decides_by,
    JSONExtractString(body, 'source') AS source,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'from'), 3, 'UTC') AS from_time,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'to'), 3, 'UTC') AS to_time,
    JSONExtractRaw(body, 'settings') AS settings,
    JSONExtract(body, 'money', 'campaigns', 'UInt64') AS campaigns,
    JSONExtract(body, 'money', 'below_limit', 'UInt64') AS below_limit,
    JSONExtract(body, 'money', 'fired', 'UInt64') AS fired,
    JSONExtract(body, 'money', 'fired_rightly', 'UInt64') AS fired_rightly,
    JSONExtract(body, 'money', 'fired_wrongly', 'UInt64') AS fired_wrongly,
    JSONExtract(body, 'money', 'fired_too_late', 'UInt64') AS fired_too_late,
    JSONExtract(body, 'money', 'not_settled', 'UInt64') AS not_settled,
    JSONExtract(body, 'money', 'fired_not_settled', 'UInt64') AS fired_not_settled,
    JSONExtract(body, 'money', 'spend_avoided_minor', 'Int64') AS spend_avoided_minor,
    JSONExtract(body, 'money', 'return_given_up_minor', 'Int64') AS return_given_up_minor,
    JSONExtract(body, 'money', 'return_forgone_minor', 'Int64') AS return_forgone_minor,
    JSONExtract(body, 'money', 'spend_not_made_minor', 'Int64') AS spend_not_made_minor,
    JSONExtract(body, 'money', 'gain_at_limit_minor', 'Int64') AS gain_at_limit_minor,
    JSONExtract(body, 'money', 'precision', 'Nullable(Float64)') AS precision,
    JSONExtract(body, 'money', 'recall', 'Nullable(Float64)') AS recall,
    JSONExtract(body, 'money', 'median_hours_to_fire', 'Nullable(Float64)') AS median_hours_to_fire
FROM {database}.backtests FINAL
WHERE campaign_id = ''
  AND (name, version) IN (SELECT name, max(version) FROM {database}.backtests GROUP BY name);

-- What each rule would have done to each campaign.
CREATE OR REPLACE VIEW {database}.backtest_campaigns AS
SELECT
    name, rule, place, campaign_id, kept_at,
    JSONExtractString(body, 'product') AS product,
    JSONExtract(body, 'min_return_ratio', 'Float64') AS min_return_ratio,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'first_at'), 3, 'UTC') AS first_at,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'held_from'), 3, 'UTC') AS held_from,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'fired_at'), 3, 'UTC') AS fired_at,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'resolved_at'), 3, 'UTC') AS resolved_at,
    JSONExtract(body, 'hours_to_fire', 'Nullable(Float64)') AS hours_to_fire,
    JSONExtract(body, 'settled_ratio', 'Nullable(Float64)') AS settled_ratio,
    JSONExtract(body, 'ratio_so_far', 'Nullable(Float64)') AS ratio_so_far,
    JSONExtract(body, 'fired_right', 'Nullable(Bool)') AS fired_right,
    JSONExtract(body, 'cost_after_firing_minor', 'Int64') AS cost_after_firing_minor,
    JSONExtract(body, 'return_after_firing_minor', 'Int64') AS return_after_firing_minor,
    JSONExtract(body, 'withheld_steps', 'UInt64') AS withheld_steps,
    arrayStringConcat(JSONExtract(body, 'reasons', 'Array(String)'), '; ') AS reason
FROM {database}.backtests FINAL
WHERE campaign_id != ''
  AND (name, version) IN (SELECT name, max(version) FROM {database}.backtests GROUP BY name);
