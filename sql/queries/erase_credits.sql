SELECT
    customer, id, {labels:Array(String)}[place] AS model, campaign_id, label, at, other_id, measures[5 * place - 1], tier,
    measures[5 * place - 4] AS millionths, measures[5 * place - 3], measures[5 * place - 2]
FROM (
    SELECT customer, id, campaign_id, label, at, other_id, tier, measures
    FROM {database}.ledger FINAL
    WHERE run = {run:String} AND kind = 'credit' AND shard = {shard:UInt32} AND customer IN {customers:Array(String)}
)
ARRAY JOIN arrayEnumerate({labels:Array(String)}) AS place
WHERE millionths != 0
FORMAT JSONCompactEachRow
