INSERT INTO {database}.run_campaigns (run, campaign_id, definition, version)
SELECT {run:String}, found.1, found.2, 1
FROM (SELECT arrayJoin(arrayZip({campaigns:Array(String)}, {definitions:Array(String)})) AS found)
