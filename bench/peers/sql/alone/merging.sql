SELECT count() AS merges
FROM system.merges
WHERE database = 'alone'
