-- An analysis of an experiment, made every hour, no longer writes all its days again: it writes those that have changed, and
-- from which version on the days that are stored are its own. Its results replace those before it, on whatever day.
ALTER TABLE {database}.ab_log
    ADD COLUMN IF NOT EXISTS days_from UInt64 DEFAULT version COMMENT 'result: days of this version and later ones are its own',
    ADD COLUMN IF NOT EXISTS content UInt64 COMMENT 'day: a hash of it';

CREATE OR REPLACE VIEW {database}.ab_history AS
SELECT
    days.run AS run, days.campaign_id AS campaign_id, days.metric AS metric, days.variant AS variant, days.day AS day,
    days.n AS n, days.is_control AS is_control, days.ended AS ended, days.mean AS mean, days.lift AS lift,
    days.ci_low AS ci_low, days.ci_high AS ci_high, days.p_value AS p_value, days.always_low AS always_low,
    days.always_high AS always_high, days.always_valid_p AS always_valid_p, days.srm_p AS srm_p,
    days.srm_sequential_p AS srm_sequential_p, days.computed_at AS computed_at,
    days.incremental_return_minor AS incremental_return_minor, days.incremental_cost_minor AS incremental_cost_minor,
    days.incremental_roi AS incremental_roi,
    JSONExtract(days.details, 'incremental_roi_low', 'Nullable(Float64)') AS incremental_roi_low,
    JSONExtract(days.details, 'incremental_roi_high', 'Nullable(Float64)') AS incremental_roi_high,
    JSONExtract(days.details, 'planned_share', 'Nullable(Float64)') AS planned_share
FROM {database}.ab_log AS days FINAL
INNER JOIN (
    SELECT run, campaign_id, metric, argMax(days_from, version) AS days_from
    FROM {database}.ab_log
    WHERE kind = 'result'
    GROUP BY run, campaign_id, metric
) AS newest ON days.run = newest.run AND days.campaign_id = newest.campaign_id AND days.metric = newest.metric
WHERE days.kind = 'day' AND days.version >= newest.days_from;
