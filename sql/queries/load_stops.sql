SELECT topic, cause, mend FROM {database}.stopped_topics WHERE run = {run:String}
FORMAT JSONCompactEachRow
