INSERT INTO {database}.runs (run, fingerprint, settings, models, zone)
SELECT {run:String}, {fingerprint:String}, {settings:String}, {models:Array(String)}, {zone:String}
