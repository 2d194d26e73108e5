-- Halted topics: topics that no worker reads until somebody resumes them. (Stopping is what campaigns do.)
DROP VIEW IF EXISTS {database}.stopped_topics;
DROP TABLE IF EXISTS {database}.topic_stops;

-- One row per halt and worker that found the cause; a later version says that and how it was resumed.
CREATE TABLE IF NOT EXISTS {database}.halts
(
    run        LowCardinality(String),
    topic      LowCardinality(String),
    id         String COMMENT 'of this halt, as one worker found it',
    kind       LowCardinality(String) COMMENT 'bad_share, wrong_partitioner, partitions_changed',
    cause      String,
    remedy     String,
    halted_at  DateTime64(3, 'UTC') DEFAULT now64(3),
    resumed_at Nullable(DateTime64(3, 'UTC')),
    skip_bad   Bool DEFAULT false COMMENT 'bad records go on to the dead letters until a good stretch has been read',
    version    UInt32 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (run, topic, id);

-- Halts in force: one row per topic, with the first cause that was found.
CREATE OR REPLACE VIEW {database}.halted_topics AS
SELECT run, topic, first.1 AS kind, first.2 AS cause, first.3 AS remedy, since AS halted_at, resumed AS resumed_at
FROM
(
    SELECT
        run, topic,
        argMin((kind, cause, remedy), (halted_at, id)) AS first,
        min(halted_at) AS since,
        any(resumed_at) AS resumed
    FROM {database}.halts FINAL
    WHERE resumed_at IS NULL
    GROUP BY run, topic
);

-- Logs that were not what the ledger knew: recreated, cut short, or with records deleted before they were read.
CREATE TABLE IF NOT EXISTS {database}.log_faults
(
    run         LowCardinality(String),
    topic       LowCardinality(String),
    partition   UInt32,
    fault       LowCardinality(String) COMMENT 'recreated, cut_short, records_lost',
    next_offset Int64 COMMENT 'where the ledger would have read on',
    log_start   Int64,
    log_end     Int64,
    found_at    DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (run, topic, found_at, partition);

-- How many partitions each topic has for this ledger: another number would put customers into other shards.
CREATE TABLE IF NOT EXISTS {database}.partition_counts
(
    run        LowCardinality(String),
    topic      LowCardinality(String),
    partitions UInt32,
    since      DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (run, topic, since);
