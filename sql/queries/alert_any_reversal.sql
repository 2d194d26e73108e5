-- whether anything after an instant took something back: mostly not, and then the credits need no second look
SELECT count() FROM (
    SELECT 1 FROM {database}.ledger
    WHERE run = {run:String} AND kind = 'transaction' AND other_id != '' AND at > {since:Int64} LIMIT 1
)
FORMAT JSONCompactEachRow
