-- One alert with its whole record.
SELECT * FROM {database}.alerts WHERE alert_id = {alert:String}
