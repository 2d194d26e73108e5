SELECT DISTINCT label FROM {database}.ledger
WHERE run = {run:String} AND kind = {dimension:String} AND campaign_id = {campaign:String}
FORMAT JSONCompactEachRow
