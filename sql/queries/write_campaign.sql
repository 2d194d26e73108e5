INSERT INTO {database}.campaign_log (campaign_id, definition, version)
SELECT {campaign_id:String}, {definition:String}, {version:UInt64}
