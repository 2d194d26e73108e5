-- As it was (0041), but for the day: boards take the days before `today` for over. A range that ends with a day holds all of that
-- day, so `today` is the one at whose beginning the range ends, as in run_days; the clock itself stands before that instant.
CREATE OR REPLACE VIEW {database}.run_clocks AS
SELECT
    positions.run AS run,
    runs.zone AS zone,
    fromUnixTimestamp64Milli(
        max(if(bounded.run = '', positions.watermark_ms, least(positions.watermark_ms, assumeNotNull(bounded.to_ms) - 1))), 'UTC'
    ) AS as_of,
    toDate(formatDateTime(fromUnixTimestamp64Milli(
        max(if(bounded.run = '', positions.watermark_ms, least(positions.watermark_ms, assumeNotNull(bounded.to_ms)))), 'UTC'
    ), '%F', runs.zone)) AS today
FROM (
    SELECT run, argMax(measures[2], version) AS watermark_ms
    FROM {database}.ledger
    WHERE kind = 'position'
    GROUP BY run, shard, label
) AS positions
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS runs ON positions.run = runs.run
LEFT JOIN (SELECT run, to_ms FROM {database}.replays FINAL WHERE to_ms IS NOT NULL) AS bounded ON positions.run = bounded.run
WHERE positions.watermark_ms > 0
GROUP BY run, zone;
