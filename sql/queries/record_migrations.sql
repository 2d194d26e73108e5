INSERT INTO {database}.migrations (name, digest)
SELECT pair.1, pair.2 FROM (SELECT arrayJoin(arrayZip({names:Array(String)}, {digests:Array(String)})) AS pair)
