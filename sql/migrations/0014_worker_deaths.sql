-- Workers that ended by a fault of their own, told by themselves; one that is killed can tell nothing.
CREATE TABLE IF NOT EXISTS {database}.worker_deaths
(
    run   LowCardinality(String),
    host  String,
    owner String COMMENT 'its process id',
    cause String COMMENT 'kind and place of the error; its text only where it cannot quote data',
    at    DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (run, at)
TTL toDateTime(at) + INTERVAL 30 DAY;
