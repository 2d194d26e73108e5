SELECT count() FROM {database}.{table:Identifier} WHERE run = {run:String}
FORMAT JSONCompactEachRow
