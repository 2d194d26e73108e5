INSERT INTO {database}.topic_stops (run, topic, owner, cause, mend)
SELECT {run:String}, {topic:String}, {owner:String}, {cause:String}, {mend:String}
