-- the newest minute with a transaction since an instant, and the most minutes between two such
SELECT count(), max(minute), toInt64(max(minute - before))
FROM
(
    SELECT minute, lagInFrame(minute, 1, minute) OVER (ORDER BY minute ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
    FROM
    (
        SELECT DISTINCT toInt64(floor(at / 60000)) AS minute
        FROM {database}.ledger
        WHERE run = {run:String} AND kind = 'transaction' AND at >= {since:Int64}
    )
)
FORMAT JSONCompactEachRow
