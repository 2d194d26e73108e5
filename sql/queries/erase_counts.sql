-- rows of customers by kind, credits by model; one that was taken back is no credit any more
WITH own AS (
    SELECT customer, id, at, kind
    FROM {database}.ledger FINAL
    WHERE run = {run:String} AND kind = 'transaction' AND shard = {shard:UInt32} AND customer IN {customers:Array(String)}
)
SELECT person, countIf(kind = 'touch'), countIf(kind = 'transaction'), countIf(kind = 'login'), sum(credits),
       countIf(kind = 'adjustment'), countIf(kind = 'profile')
FROM (
    SELECT
        if(kind IN ('login', 'profile'), id, customer) AS person, toString(kind) AS kind,
        if(kind = 'credit', arrayCount((measure, place) -> place % 5 = 1 AND measure != 0, measures, arrayEnumerate(measures)), 0) AS credits
    FROM {database}.ledger FINAL
    WHERE run = {run:String} AND kind IN ('touch', 'credit', 'login', 'profile') AND shard = {shard:UInt32}
      AND person IN {customers:Array(String)}
    UNION ALL
    SELECT customer, toString(kind), 0 FROM own
    UNION ALL
    SELECT own.customer, 'adjustment', 0
    FROM own
    INNER JOIN (
        SELECT id, at FROM {database}.ledger FINAL
        WHERE run = {run:String} AND kind = 'adjustment' AND shard = {shard:UInt32}
    ) AS adjusted ON own.id = adjusted.id AND own.at = adjusted.at
)
GROUP BY person
FORMAT JSONCompactEachRow
