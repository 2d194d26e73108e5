-- how a campaign is called in a run; no row where it has no definition
SELECT name FROM {database}.run_plans WHERE run = {run:String} AND campaign_id = {campaign:String} AND name != ''
