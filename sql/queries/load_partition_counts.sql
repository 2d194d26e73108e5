SELECT topic, argMin(partitions, since) FROM {database}.partition_counts WHERE run = {run:String} GROUP BY topic
FORMAT JSONCompactEachRow
