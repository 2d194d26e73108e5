-- how far each shard has come: topic, watermark, and the block that says so
SELECT shard, label, measures[2], version
FROM {database}.ledger FINAL
WHERE run = {run:String} AND kind = 'position'
FORMAT JSONCompactEachRow
