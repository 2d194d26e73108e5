-- whether a run has recorded all that it decided by the wall clock: it was begun since there are rows for it (0027)
SELECT record.begun_at >= applied.since AS is_recorded
FROM (SELECT min(begun_at) AS begun_at FROM {database}.runs FINAL WHERE run = {run:String}) AS record,
    (SELECT min(applied_at) AS since FROM {database}.migrations WHERE name LIKE '0027%') AS applied
