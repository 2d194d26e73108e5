SELECT fingerprint, settings FROM {database}.runs FINAL WHERE run = {run:String}
FORMAT JSONCompactEachRow
