SELECT count() FROM system.tables WHERE database = {name:String} AND name != 'migrations' AND NOT startsWith(name, 'migrating')
