-- customers whom the run that is live has erased and not taken in again
SELECT DISTINCT id
FROM {database}.ledger FINAL
WHERE kind = 'erased' AND measures[1] != 4 AND run NOT IN (SELECT run FROM {database}.replays)
FORMAT JSONCompactEachRow
