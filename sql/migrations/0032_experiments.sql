-- Experiments as `roi ab` has analysed them (contract sections 5 and 9; docs/ab.md has every formula).
--
-- One analysis is one INSERT of rows of one version: of each metric, variant by variant, its result and its days. The
-- newest analysis of a metric counts, as a whole: another control or window leaves nothing of the one before.
CREATE TABLE IF NOT EXISTS {database}.ab_log
(
    run                      LowCardinality(String),
    campaign_id              LowCardinality(String),
    metric                   LowCardinality(String) COMMENT 'converted, return, aum, logins',
    variant                  String,
    kind                     LowCardinality(String) COMMENT 'result = as of the run''s clock, day = as of the end of a day',
    day                      Date,
    is_control               UInt8,
    n                        UInt64 COMMENT 'customers assigned',
    ended                    UInt64 COMMENT 'of these, with their window over: the decision rests on them',
    mean                     Nullable(Float64) COMMENT 'result: of everyone; day: of those with their window over',
    lift                     Nullable(Float64),
    ci_low                   Nullable(Float64),
    ci_high                  Nullable(Float64),
    p_value                  Nullable(Float64),
    q_value                  Nullable(Float64),
    ended_mean               Nullable(Float64),
    ended_lift               Nullable(Float64),
    always_low               Nullable(Float64),
    always_high              Nullable(Float64),
    always_valid_p           Nullable(Float64),
    always_valid_q           Nullable(Float64),
    cuped_lift               Nullable(Float64),
    cuped_low                Nullable(Float64),
    cuped_high               Nullable(Float64),
    cuped_p_value            Nullable(Float64),
    srm_p                    Nullable(Float64),
    srm_sequential_p         Nullable(Float64),
    decision                 LowCardinality(Nullable(String)),
    verdict                  String,
    incremental_return_minor Nullable(Int64),
    cost_minor               Nullable(Int64),
    incremental_cost_minor   Nullable(Int64),
    incremental_roi          Nullable(Float64),
    attributed_return_minor  Nullable(Int64),
    attributed_roi           Nullable(Float64),
    customers_left_out       UInt64,
    days_to_decision         Nullable(UInt32),
    window_days              Float64,
    as_of                    DateTime64(3, 'UTC'),
    details                  String COMMENT 'JSON: what `roi ab --json` prints beside these columns',
    version                  UInt64 COMMENT 'nanoseconds of the analysis',
    computed_at              DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (run, campaign_id, metric, variant, kind, day);

CREATE OR REPLACE VIEW {database}.ab_results AS
SELECT
    run, campaign_id, metric, variant, n, mean, lift, ci_low, ci_high, p_value, always_valid_p, srm_p, decision,
    is_control, ended, ended_mean, ended_lift, always_low, always_high, q_value, always_valid_q, cuped_lift, cuped_low,
    cuped_high, cuped_p_value, srm_sequential_p, verdict, incremental_return_minor, cost_minor, incremental_cost_minor,
    incremental_roi, attributed_return_minor, attributed_roi, customers_left_out, days_to_decision, window_days, as_of,
    computed_at
FROM {database}.ab_log FINAL
WHERE kind = 'result' AND (run, campaign_id, metric, version) IN (
    SELECT run, campaign_id, metric, max(version) FROM {database}.ab_log GROUP BY run, campaign_id, metric
);

-- How each experiment looked on each of its days: lift with both intervals, sample ratio.
CREATE OR REPLACE VIEW {database}.ab_history AS
SELECT
    run, campaign_id, metric, variant, day, n, is_control, ended, mean, lift, ci_low, ci_high, p_value, always_low,
    always_high, always_valid_p, srm_p, srm_sequential_p, computed_at
FROM {database}.ab_log FINAL
WHERE kind = 'day' AND (run, campaign_id, metric, version) IN (
    SELECT run, campaign_id, metric, max(version) FROM {database}.ab_log GROUP BY run, campaign_id, metric
);
