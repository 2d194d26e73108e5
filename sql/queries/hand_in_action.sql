-- The one form of statement that the API's user may write with; a row of JSON follows.
INSERT INTO {database}.alert_actions (action_id, alert_id, action, by, body) FORMAT JSONEachRow
