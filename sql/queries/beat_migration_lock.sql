INSERT INTO {database}.migrating (at) VALUES (now64(3))
