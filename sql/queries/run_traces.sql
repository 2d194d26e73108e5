-- what there is of a run: its record, its order, claims and rows
SELECT
    (SELECT count() FROM {database}.runs WHERE run = {run:String}),
    (SELECT count() FROM {database}.replays WHERE run = {run:String}),
    (SELECT count() FROM {database}.claims WHERE run = {run:String}),
    (SELECT count() FROM (SELECT 1 FROM {database}.ledger WHERE run = {run:String} LIMIT 1))
FORMAT JSONCompactEachRow
