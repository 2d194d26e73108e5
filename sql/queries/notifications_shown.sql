-- Who was told what, newest first; an empty parameter chooses nothing.
SELECT
    notification_id, alert_id, campaign_id, receiver, state, message_id, message_type, attempts, sent_at, last_error, changed_at
FROM {database}.notifications
WHERE ({state:String} = '' OR state = {state:String})
  AND ({alert:String} = '' OR alert_id = {alert:String})
  AND ({message:String} = '' OR message_id = {message:String})
  AND ({notification:String} = '' OR notification_id = {notification:String})
ORDER BY changed_at DESC, notification_id
LIMIT 10000
