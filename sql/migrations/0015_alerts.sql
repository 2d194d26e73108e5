-- Alerts: what was decided about campaigns, and who was told (contract section 6).
--
-- The evaluator is the only writer of alert_log, one INSERT a step: a change of state, its message and its notifications are
-- there together or not at all. It is fenced like a shard: claims of run 'alerts', shard 0.
--
-- kind          id                state
-- alert         alert_id          the state machine's               body: the whole record with its evidence
-- change        change id         the new state                     body: old state, who, why, record; never replaced
-- message       message id        waiting, sent                     body: topic, key, payload; outbox of Kafka
-- notification  notification id   waiting, sent, suppressed, dead   body: receiver, message ids, attempts, next attempt, last error
-- silence       silence id        active, ended                     body: campaign or owner, until, by, reason
-- action        action id         applied, refused                  body: why not
CREATE TABLE IF NOT EXISTS {database}.alert_log
(
    kind        LowCardinality(String),
    id          String,
    alert_id    String,
    campaign_id LowCardinality(String),
    state       LowCardinality(String),
    at          DateTime64(3, 'UTC') COMMENT 'wall clock',
    body        String COMMENT 'JSON',
    version     UInt64 COMMENT 'epoch << 32 | number of the write'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (kind, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What people asked for: handed in by the API, applied by the evaluator in the order of the instants.
CREATE TABLE IF NOT EXISTS {database}.alert_actions
(
    action_id String,
    alert_id  String COMMENT 'empty for silences',
    action    LowCardinality(String) COMMENT 'acknowledge, decide, approve, note, silence, unsilence, retry, test',
    by        String COMMENT 'name of the token',
    body      String COMMENT 'JSON',
    at        DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (at, action_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Sign of life of the deciding evaluator.
CREATE TABLE IF NOT EXISTS {database}.alert_leases
(
    epoch UInt32,
    owner String,
    beat  UInt64 COMMENT 'grows while the owner lives',
    body  String COMMENT 'JSON: as-of instant, duration of the last tick, campaigns',
    at    DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(beat)
ORDER BY epoch;

-- What finished campaigns have taught, by product; the newest version counts.
CREATE TABLE IF NOT EXISTS {database}.alert_peers
(
    product   String,
    source    LowCardinality(String) COMMENT 'ledger, warehouse',
    campaigns UInt32,
    customers UInt64,
    body      String COMMENT 'JSON of the library',
    learnt_at DateTime64(3, 'UTC') DEFAULT now64(3),
    version   UInt64
)
ENGINE = MergeTree
ORDER BY (product, version);

CREATE OR REPLACE VIEW {database}.alerts AS
SELECT
    id AS alert_id, campaign_id, state,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'opened_at'), 3, 'UTC') AS opened_at,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'changed_at'), 3, 'UTC') AS changed_at,
    JSONExtract(body, 'return_ratio', 'Nullable(Float64)') AS return_ratio,
    JSONExtract(body, 'upper_bound', 'Nullable(Float64)') AS upper_bound,
    JSONExtract(body, 'matured_share', 'Nullable(Float64)') AS matured_share,
    JSONExtract(body, 'money_at_risk_minor', 'Nullable(Int64)') AS money_at_risk_minor,
    JSONExtract(body, 'decision', 'Nullable(String)') AS decision,
    JSONExtract(body, 'decided_by', 'Nullable(String)') AS decided_by,
    arrayStringConcat(JSONExtract(body, 'reasons', 'Array(String)'), '; ') AS reason,
    JSONExtractString(body, 'campaign_name') AS campaign_name,
    JSONExtract(body, 'owner', 'Nullable(String)') AS owner,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'as_of'), 3, 'UTC') AS as_of,
    body AS record
FROM {database}.alert_log FINAL
WHERE kind = 'alert';

-- The audit trail: every change of every alert, oldest first where sorted by changed_at.
CREATE OR REPLACE VIEW {database}.alert_changes AS
SELECT
    id AS change_id, alert_id, campaign_id, at AS changed_at,
    JSONExtractString(body, 'previous_state') AS previous_state,
    state,
    JSONExtractString(body, 'event') AS event,
    JSONExtract(body, 'by', 'Nullable(String)') AS by,
    JSONExtractString(body, 'note') AS note,
    body AS record
FROM {database}.alert_log FINAL
WHERE kind = 'change';

CREATE OR REPLACE VIEW {database}.notifications AS
SELECT
    id AS notification_id, alert_id,
    JSONExtractString(body, 'receiver') AS receiver,
    state,
    JSONExtract(body, 'attempts', 'UInt32') AS attempts,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'sent_at'), 3, 'UTC') AS sent_at,
    campaign_id,
    JSONExtractString(body, 'message_id') AS message_id,
    JSONExtractString(body, 'message_type') AS message_type,
    JSONExtractString(body, 'last_error') AS last_error,
    at AS changed_at
FROM {database}.alert_log FINAL
WHERE kind = 'notification';

CREATE OR REPLACE VIEW {database}.silences AS
SELECT
    id AS silence_id, state,
    JSONExtract(body, 'campaign_id', 'Nullable(String)') AS campaign_id,
    JSONExtract(body, 'owner', 'Nullable(String)') AS owner,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'until'), 3, 'UTC') AS until,
    JSONExtractString(body, 'by') AS by,
    JSONExtractString(body, 'reason') AS reason,
    at AS changed_at
FROM {database}.alert_log FINAL
WHERE kind = 'silence';
