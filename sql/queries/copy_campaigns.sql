INSERT INTO {database}.run_campaigns (run, campaign_id, definition, version)
SELECT {run:String}, campaign_id, definition, version FROM {database}.campaign_log FINAL
