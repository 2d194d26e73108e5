SELECT topic, cause FROM {database}.halted_topics WHERE run = {run:String} ORDER BY topic
