-- what changes with every block, alert, definition, run, plan, halt, fault, analysis and kept backtest; the newest event
-- (a run without events has the wall clock); and how long ago the newest block was written, null where there is none
SELECT
    concat(toString(max(written)), '-', toString(sum(next)), '-',
        toString((SELECT (count(), max(version)) FROM {database}.alert_log)), '-',
        toString((SELECT (count(), max(updated_at)) FROM {database}.campaign_log)), '-',
        toString((SELECT (count(), max(updated_at)) FROM {database}.run_campaigns)), '-',
        toString((SELECT count() FROM {database}.runs)), '-',
        toString((SELECT (count(), max(set_at)) FROM {database}.figure_plans)), '-',
        toString((SELECT (count(), sum(version)) FROM {database}.halts FINAL)), '-',
        toString((SELECT count() FROM {database}.worker_deaths)), '-',
        toString((SELECT count() FROM {database}.log_faults)), '-',
        toString((SELECT (count(), max(version)) FROM {database}.ab_log)), '-',
        toString((SELECT (count(), max(version)) FROM {database}.backtests))) AS stamp,
    if(max(watermark) > 0, max(watermark), toUnixTimestamp64Milli(now64(3))) AS latest,
    if(max(written) > 0, toUnixTimestamp64Milli(now64(3)) - max(written), NULL) AS written_ago
FROM (
    SELECT next_offset AS next, watermark_ms AS watermark, toUnixTimestamp64Milli(written_at) AS written
    FROM {database}.positions WHERE run = {run:String}
)
