INSERT INTO {database}.runs (run, fingerprint, settings, models, zone, rules)
SELECT {run:String}, {fingerprint:String}, {settings:String}, {models:Array(String)}, {zone:String}, {rules:String}
