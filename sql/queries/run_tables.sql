-- every table that holds rows by run, those behind refreshed views too
SELECT columns.table
FROM system.columns AS columns
INNER JOIN system.tables AS tables ON columns.database = tables.database AND columns.table = tables.name
WHERE columns.database = '{database}' AND columns.name = 'run' AND endsWith(tables.engine, 'MergeTree')
ORDER BY columns.table IN ('runs', 'claims') ASC, columns.table = 'replays' ASC, columns.table
FORMAT JSONCompactEachRow
