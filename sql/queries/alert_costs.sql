SELECT
    transform(campaign_id, {campaigns:Array(String)}, range(length({campaigns:Array(String)})), 0) AS place,
    category, label, at, measures[1]
FROM {database}.ledger FINAL
PREWHERE run = {run:String} AND kind = 'cost' AND campaign_id IN {campaigns:Array(String)} AND at <= {until:Int64}
FORMAT JSONCompactEachRow
