INSERT INTO {database}.run_campaigns (run, campaign_id, definition, version)
SELECT {run:String}, {campaign_id:String}, {definition:String}, {version:UInt64}
