-- Topics whose data was at fault so often that a worker stopped reading them. A stop ends with its worker.
CREATE TABLE IF NOT EXISTS {database}.topic_stops
(
    run        LowCardinality(String),
    topic      LowCardinality(String),
    owner      String,
    cause      String,
    mend       String,
    stopped_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (run, topic, stopped_at);

-- Stops in force: those of workers that own a shard now.
CREATE OR REPLACE VIEW {database}.stopped_topics AS
SELECT run, topic, any(cause) AS cause, any(mend) AS mend, min(stopped_at) AS stopped_at
FROM {database}.topic_stops
WHERE (run, owner) IN (
    SELECT run, owner FROM (SELECT run, argMax(owner, epoch) AS owner FROM {database}.claims GROUP BY run, shard)
)
GROUP BY run, topic;
