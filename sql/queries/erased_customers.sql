-- customers whom some run has erased and none has taken in again
SELECT DISTINCT id
FROM {database}.ledger FINAL
WHERE kind = 'erased' AND measures[1] != 4
FORMAT JSONCompactEachRow
