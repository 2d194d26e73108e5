SELECT max(epoch) FROM {database}.claims WHERE run = {run:String} AND shard = 0
