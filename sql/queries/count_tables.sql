SELECT count() FROM {database}.tables WHERE database = {database:String} AND name != 'migrations'
