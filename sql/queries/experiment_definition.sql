-- a campaign's definition as the run counts by it
SELECT definition FROM {database}.run_definitions WHERE run = {run:String} AND campaign_id = {campaign:String}
FORMAT JSONCompactEachRow
