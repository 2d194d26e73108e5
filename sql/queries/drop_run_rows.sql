ALTER TABLE {database}.{table:Identifier} DELETE WHERE run = {run:String} SETTINGS mutations_sync = 2
