SELECT comment FROM system.tables WHERE database = {name:String} AND name = 'migrating'
