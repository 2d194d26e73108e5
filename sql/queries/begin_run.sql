INSERT INTO {database}.runs (run, fingerprint, settings, models)
SELECT {run:String}, {fingerprint:String}, {settings:String}, {models:Array(String)}
