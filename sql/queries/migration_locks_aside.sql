SELECT name FROM system.tables WHERE database = {name:String} AND startsWith(name, 'migrating_')
