INSERT INTO {database}.halts (run, topic, id, kind, cause, remedy)
SELECT {run:String}, {topic:String}, {id:String}, {kind:String}, {cause:String}, {remedy:String}
