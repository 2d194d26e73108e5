SELECT DISTINCT name, digest FROM {database}.migrations
