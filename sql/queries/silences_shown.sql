-- Silences, the latest to end first; an empty parameter chooses nothing.
SELECT silence_id, state, campaign_id, owner, until, by, reason, changed_at
FROM {database}.silences
WHERE ({state:String} = '' OR state = {state:String}) AND ({silence:String} = '' OR silence_id = {silence:String})
ORDER BY state, until DESC, silence_id
LIMIT 10000
