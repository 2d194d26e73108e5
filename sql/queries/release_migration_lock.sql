DROP TABLE IF EXISTS {database}.migrating
