-- How far a run's event time has come: the newest event of any topic, never the clock on the wall, and its business day. A
-- day before `today` is over; `today` is still being counted.
CREATE OR REPLACE VIEW {database}.run_clocks AS
SELECT
    positions.run AS run,
    runs.zone AS zone,
    fromUnixTimestamp64Milli(max(positions.watermark_ms), 'UTC') AS as_of,
    toDate(formatDateTime(as_of, '%F', runs.zone)) AS today
FROM {database}.positions AS positions
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS runs ON positions.run = runs.run
WHERE positions.watermark_ms > 0
GROUP BY run, zone;
