-- cost events of a campaign by the variant they name; '' is none
SELECT label AS variant, toString(sum(toInt128(measures[1])))
FROM {database}.ledger FINAL
PREWHERE run = {run:String} AND kind = 'cost' AND campaign_id = {campaign:String}
GROUP BY variant
FORMAT JSONCompactEachRow
