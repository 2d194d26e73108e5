-- Alerts as people are shown them, those with the most money at risk first, and what is not judged yet last; an empty parameter chooses nothing. Records are
-- most of the bytes.
SELECT * REPLACE (if({whole:Bool}, record, '') AS record)
FROM {database}.alerts
WHERE ({state:String} = '' OR state = {state:String})
  AND ({campaign:String} = '' OR campaign_id = {campaign:String})
  AND ({owner:String} = '' OR owner = {owner:String})
ORDER BY state IN ('immature', 'blocked'), money_at_risk_minor DESC NULLS LAST, changed_at DESC, alert_id
