-- What no other installation has, though its database has the same name: ids of alerts are made of it.
SELECT concat(database, ' ', toString(uuid))
FROM system.tables
WHERE database = '{database}' AND name = 'alert_log'
