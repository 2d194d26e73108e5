SELECT topic, partition, next_offset, topic_id FROM {database}.positions WHERE run = {source:String}
FORMAT JSONCompactEachRow
