-- one analysis: its results, and of its days those that have changed
INSERT INTO {database}.ab_log (
    run, campaign_id, metric, variant, kind, day, is_control, n, ended, mean, lift, ci_low, ci_high, p_value, q_value,
    ended_mean, ended_lift, always_low, always_high, always_valid_p, always_valid_q, cuped_lift, cuped_low, cuped_high,
    cuped_p_value, srm_p, srm_sequential_p, decision, verdict, incremental_return_minor, cost_minor,
    incremental_cost_minor, incremental_roi, attributed_return_minor, attributed_roi, customers_left_out,
    days_to_decision, window_days, as_of, details, version, days_from, content
)
FORMAT JSONEachRow
