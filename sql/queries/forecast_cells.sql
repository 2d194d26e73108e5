SELECT campaign_id, toString(touch_day) AS touch_day, lag_day, conversions, return_minor, cost_minor
FROM {database}.campaign_cohorts
WHERE run = {run:String} AND ({campaign:String} = '' OR campaign_id = {campaign:String})
