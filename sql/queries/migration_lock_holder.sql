-- who holds the lock, and whether since before this server's start
SELECT comment, metadata_modification_time <= now() - toIntervalSecond(uptime()) AS is_older
FROM system.tables
WHERE database = {name:String} AND name = 'migrating'
