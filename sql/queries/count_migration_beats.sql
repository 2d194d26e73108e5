SELECT count() FROM {database}.migrating
