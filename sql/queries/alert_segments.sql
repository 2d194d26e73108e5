-- the variants and tiers of a campaign that have a number
SELECT DISTINCT toString(kind), label FROM {database}.ledger
WHERE run = {run:String} AND kind IN ('variant', 'tier') AND campaign_id = {campaign:String}
FORMAT JSONCompactEachRow
