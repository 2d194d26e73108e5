-- every view that shows rows by run, with its columns in order
SELECT
    columns.table AS view,
    groupArray(columns.name) AS names,
    groupArray(columns.type) AS types
FROM (SELECT table, name, type FROM system.columns WHERE database = '{database}' ORDER BY table, position) AS columns
INNER JOIN system.tables AS tables ON columns.table = tables.name
WHERE tables.database = '{database}' AND tables.engine = 'View'
GROUP BY columns.table
HAVING has(names, 'run')
ORDER BY view
