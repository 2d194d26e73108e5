-- of a run that was begun before its rules were recorded; the rest of its row stays
INSERT INTO {database}.runs (run, fingerprint, settings, models, begun_at, zone, rules)
SELECT run, fingerprint, settings, models, begun_at, zone, {rules:String}
FROM {database}.runs FINAL
WHERE run = {run:String}
