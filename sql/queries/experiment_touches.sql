-- whether a campaign has touches and assignments, and from when to when those are that decide who is in which variant
SELECT
    count() AS touches,
    countIf(category = 'assign') AS assignments,
    if(assignments > 0, minIf(at, category = 'assign'), minIf(at, bitTest(flags, 2))) AS first_at,
    if(assignments > 0, maxIf(at, category = 'assign'), maxIf(at, bitTest(flags, 2))) AS last_at
FROM {database}.ledger FINAL
PREWHERE run = {run:String} AND kind = 'touch' AND campaign_id = {campaign:String}
WHERE customer NOT IN (
    SELECT id FROM {database}.ledger FINAL WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
)
FORMAT JSONCompactEachRow
