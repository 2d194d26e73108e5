-- rows of customers by kind; a credit that was taken back is no credit any more
WITH own AS (
    SELECT customer, id, at, kind
    FROM {database}.ledger FINAL
    WHERE run = {run:String} AND kind = 'transaction' AND shard = {shard:UInt32} AND customer IN {customers:Array(String)}
)
SELECT person, countIf(kind = 'touch'), countIf(kind = 'transaction'), countIf(kind = 'login'), countIf(kind = 'credit'),
       countIf(kind = 'adjustment'), countIf(kind = 'profile')
FROM (
    SELECT if(kind IN ('login', 'profile'), id, customer) AS person, toString(kind) AS kind
    FROM {database}.ledger FINAL
    WHERE run = {run:String} AND kind IN ('touch', 'credit', 'login', 'profile') AND shard = {shard:UInt32}
      AND person IN {customers:Array(String)} AND (kind != 'credit' OR measures[1] != 0)
    UNION ALL
    SELECT customer, toString(kind) FROM own
    UNION ALL
    SELECT own.customer, 'adjustment'
    FROM own
    INNER JOIN (
        SELECT id, at FROM {database}.ledger FINAL
        WHERE run = {run:String} AND kind = 'adjustment' AND shard = {shard:UInt32}
    ) AS adjusted ON own.id = adjusted.id AND own.at = adjusted.at
)
GROUP BY person
FORMAT JSONCompactEachRow
