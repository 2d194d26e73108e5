-- The ledger: everything a shard has learnt, written one block per commit cycle.
--
-- One INSERT is one block is one part, so a block is there whole or not at all; therefore there is no PARTITION BY.
-- A row is identified by the sorting key and replaced by a later version (epoch << 32 | sequence of the block).
-- Readers use FINAL or the views below, which do, so no number waits for a merge.
--
-- kind         campaign_id  label    at            lag  id           other_id        measures
-- touch        campaign     variant  occurred_at        event_id                     cost_minor
-- transaction                        occurred_at        event_id     reverses        amount, revenue, aum_delta (flags say which were given)
-- adjustment                         occurred_at        event_id                     effective amount after reversals
-- cost         campaign     variant  occurred_at        event_id                     amount_minor
-- login                              business day       customer
-- profile                                               customer                     opened_at ms
-- credit       campaign     variant  converted_at       transaction  touch           millionths, return, aum, touched_at ms
-- tier         campaign     tier                                                     touches, reached, conversions, converters, cost, return, aum
-- variant      campaign     variant                                                  the same
-- minute       campaign              epoch minute                                    the same
-- cohort       campaign              business day  days                              the same
-- activity                  tier     business day                                    dau, wau, mau, gross day, gross mau (changes), reactivated
-- dead_letter               topic    offset        partition        reason          dead-lettered at ms
-- position                  topic                                                    next offset, watermark ms, accepted, duplicates, refused, processed at ms
CREATE TABLE IF NOT EXISTS {database}.ledger
(
    run         LowCardinality(String),
    kind        LowCardinality(String),
    shard       UInt32 COMMENT 'lane * 65536 + partition',
    campaign_id LowCardinality(String),
    label       LowCardinality(String),
    at          Int64,
    lag         UInt32,
    id          String,
    other_id    String,
    model       LowCardinality(String),
    chapter     UInt64 COMMENT 'cells only: measures count from the moment the cell came to memory',
    customer    String COMMENT 'HMAC of the customer id, never the id',
    tier        LowCardinality(String),
    channel     LowCardinality(String),
    category    LowCardinality(String) COMMENT 'kind of touch, transaction or cost',
    product     LowCardinality(String),
    scenario    LowCardinality(String),
    flags       UInt8 COMMENT '1 automated, 2 recommended, 4 creditable, 8 engaged, 16 cross_bank, 32 revenue given, 64 aum_delta given',
    measures    Array(Int64),
    source      Int64 COMMENT 'offset of the record the row comes from',
    detail      String,
    version     UInt64
)
ENGINE = ReplacingMergeTree(version)
PRIMARY KEY (run, kind, shard, campaign_id, label, at)
ORDER BY (run, kind, shard, campaign_id, label, at, lag, id, other_id, model, chapter)
SETTINGS index_granularity = 4096, fsync_after_insert = 1, fsync_part_directory = 1;

-- Who owns a shard: the greatest epoch. Blocks of anybody else refuse themselves.
CREATE TABLE IF NOT EXISTS {database}.claims
(
    run        LowCardinality(String),
    shard      UInt32,
    epoch      UInt32,
    owner      String,
    claimed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (run, shard, epoch);

-- What a run counts with: a ledger is continued only under the settings it was begun with.
CREATE TABLE IF NOT EXISTS {database}.runs
(
    run         LowCardinality(String),
    fingerprint String,
    settings    String,
    models      Array(String),
    begun_at    DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY run;

-- Campaign definitions as the workers have read them; an empty definition is a retired campaign.
CREATE TABLE IF NOT EXISTS {database}.campaign_log
(
    campaign_id String,
    definition  String,
    version     UInt64,
    updated_at  DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY campaign_id;
