-- topics that no worker reads
SELECT topic FROM {database}.halted_topics WHERE run = {run:String}
FORMAT JSONCompactEachRow
