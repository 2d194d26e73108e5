-- the first touch or cost of a run
SELECT count(), min(at)
FROM {database}.ledger
WHERE run = {run:String} AND kind IN ('touch', 'cost')
FORMAT JSONCompactEachRow
