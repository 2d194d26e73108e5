-- the days that are stored of an experiment, by what tells whether one has changed
SELECT metric, variant, toString(day), content, version
FROM {database}.ab_log FINAL
WHERE run = {run:String} AND campaign_id = {campaign:String} AND kind = 'day'
FORMAT JSONCompactEachRow
