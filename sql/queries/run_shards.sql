SELECT DISTINCT shard FROM {database}.claims WHERE run = {run:String}
FORMAT JSONCompactEachRow
