-- What has been written since a block: the alert service asks so every second. Rows of the newest blocks stand in the
-- smallest parts; an index of the versions of each granule keeps the large ones unread.
ALTER TABLE {database}.ledger ADD INDEX IF NOT EXISTS by_version version TYPE minmax GRANULARITY 1;
ALTER TABLE {database}.ledger MATERIALIZE INDEX by_version;
