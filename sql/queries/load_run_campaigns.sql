SELECT campaign_id, definition, version FROM {database}.run_campaigns FINAL WHERE run = {run:String}
FORMAT JSONCompactEachRow
