SELECT DISTINCT campaign_id FROM {database}.ledger
WHERE run = {run:String} AND kind IN ('tier', 'cost') AND campaign_id != ''
FORMAT JSONCompactEachRow
