-- what changes with every block, alert, definition and run, and the newest event; a run without events has the wall clock
SELECT
    concat(toString(max(written)), '-', toString(sum(next)), '-',
        toString((SELECT (count(), max(version)) FROM {database}.alert_log)), '-',
        toString((SELECT (count(), max(updated_at)) FROM {database}.campaign_log)), '-',
        toString((SELECT count() FROM {database}.runs))) AS stamp,
    if(max(watermark) > 0, max(watermark), toUnixTimestamp64Milli(now64(3))) AS latest
FROM (
    SELECT measures[1] AS next, measures[2] AS watermark, measures[6] AS written
    FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'position'
)
