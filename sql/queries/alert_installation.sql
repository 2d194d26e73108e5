-- What no other installation has, though its database has the same name: ids of alerts are made of it.
SELECT concat({database_name:String}, ' ', toString(uuid))
FROM system.tables
WHERE database = {database_name:String} AND name = 'alert_log'
