-- What the boards of experiments and backtests show beside 0031 and 0032: texts in each reader's language, the money of an
-- experiment day by day, its tiers and its outlook. What was stored before this has these in English alone, or not at all.
CREATE OR REPLACE VIEW {database}.ab_results AS
SELECT
    run, campaign_id, metric, variant, n, mean, lift, ci_low, ci_high, p_value, always_valid_p, srm_p, decision,
    is_control, ended, ended_mean, ended_lift, always_low, always_high, q_value, always_valid_q, cuped_lift, cuped_low,
    cuped_high, cuped_p_value, srm_sequential_p, verdict, incremental_return_minor, cost_minor, incremental_cost_minor,
    incremental_roi, attributed_return_minor, attributed_roi, customers_left_out, days_to_decision, window_days, as_of,
    computed_at,
    JSONExtract(details, 'planned_share', 'Nullable(Float64)') AS planned_share,
    JSONExtract(details, 'incremental_return_low', 'Nullable(Int64)') AS incremental_return_low,
    JSONExtract(details, 'incremental_return_high', 'Nullable(Int64)') AS incremental_return_high,
    JSONExtract(details, 'incremental_roi_low', 'Nullable(Float64)') AS incremental_roi_low,
    JSONExtract(details, 'incremental_roi_high', 'Nullable(Float64)') AS incremental_roi_high,
    JSONExtract(details, 'relevant_lift', 'Nullable(Float64)') AS relevant_lift,
    JSONExtract(details, 'detectable_lift', 'Nullable(Float64)') AS detectable_lift,
    JSONExtract(details, 'customers_needed', 'Nullable(UInt64)') AS customers_needed,
    JSONExtract(details, 'customers_needed_once', 'Nullable(UInt64)') AS customers_needed_once,
    JSONExtract(details, 'tier_difference_p', 'Nullable(Float64)') AS tier_difference_p,
    ifNull(nullIf(JSONExtractString(details, 'verdict_zh'), ''), verdict) AS verdict_zh,
    arrayStringConcat(JSONExtract(details, 'caveats', 'Array(String)'), '; ') AS caveats,
    ifNull(nullIf(arrayStringConcat(JSONExtract(details, 'caveats_zh', 'Array(String)'), '；'), ''), caveats) AS caveats_zh
FROM {database}.ab_log FINAL
WHERE kind = 'result' AND (run, campaign_id, metric, version) IN (
    SELECT run, campaign_id, metric, max(version) FROM {database}.ab_log GROUP BY run, campaign_id, metric
);

CREATE OR REPLACE VIEW {database}.ab_history AS
SELECT
    run, campaign_id, metric, variant, day, n, is_control, ended, mean, lift, ci_low, ci_high, p_value, always_low,
    always_high, always_valid_p, srm_p, srm_sequential_p, computed_at,
    incremental_return_minor, incremental_cost_minor, incremental_roi,
    JSONExtract(details, 'incremental_roi_low', 'Nullable(Float64)') AS incremental_roi_low,
    JSONExtract(details, 'incremental_roi_high', 'Nullable(Float64)') AS incremental_roi_high,
    JSONExtract(details, 'planned_share', 'Nullable(Float64)') AS planned_share
FROM {database}.ab_log FINAL
WHERE kind = 'day' AND (run, campaign_id, metric, version) IN (
    SELECT run, campaign_id, metric, max(version) FROM {database}.ab_log GROUP BY run, campaign_id, metric
);

-- The effect by tier of customers, of those with their window over.
CREATE OR REPLACE VIEW {database}.ab_tiers AS
SELECT
    run, campaign_id, metric, variant,
    JSONExtractString(of_tier, 'tier') AS tier,
    JSONExtract(of_tier, 'is_tested', 'Bool') AS is_tested,
    JSONExtract(of_tier, 'customers', 'UInt64') AS ended,
    JSONExtract(of_tier, 'control_mean', 'Nullable(Float64)') AS control_mean,
    JSONExtract(of_tier, 'lift', 'Nullable(Float64)') AS lift,
    JSONExtract(of_tier, 'low', 'Nullable(Float64)') AS ci_low,
    JSONExtract(of_tier, 'high', 'Nullable(Float64)') AS ci_high,
    JSONExtract(of_tier, 'p_value', 'Nullable(Float64)') AS p_value,
    computed_at
FROM {database}.ab_log FINAL
ARRAY JOIN JSONExtractArrayRaw(details, 'tiers') AS of_tier
WHERE kind = 'result' AND (run, campaign_id, metric, version) IN (
    SELECT run, campaign_id, metric, max(version) FROM {database}.ab_log GROUP BY run, campaign_id, metric
);

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
    arrayStringConcat(JSONExtract(body, 'reasons', 'Array(String)'), '; ') AS reason,
    ifNull(nullIf(arrayStringConcat(JSONExtract(body, 'reasons_zh', 'Array(String)'), '；'), ''), reason) AS reason_zh
FROM {database}.backtests FINAL
WHERE campaign_id != ''
  AND (name, version) IN (SELECT name, max(version) FROM {database}.backtests GROUP BY name);
