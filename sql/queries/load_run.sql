SELECT fingerprint, settings, rules FROM {database}.runs FINAL WHERE run = {run:String}
FORMAT JSONCompactEachRow
