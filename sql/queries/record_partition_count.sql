INSERT INTO {database}.partition_counts (run, topic, partitions)
SELECT {run:String}, {topic:String}, {partitions:UInt32}
