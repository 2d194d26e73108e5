CREATE DATABASE alone;

CREATE TABLE alone.logins (customer_id String, event_id String, at DateTime64(3), session_seconds Nullable(Float32), automated Bool)
ENGINE = ReplacingMergeTree ORDER BY (customer_id, at, event_id);

CREATE TABLE alone.transactions (customer_id String, event_id String, at DateTime64(3), kind LowCardinality(String), amount_minor Int64, revenue_minor Int64)
ENGINE = ReplacingMergeTree ORDER BY (customer_id, at, event_id);

CREATE TABLE alone.touches (customer_id String, event_id String, at DateTime64(3), campaign_id LowCardinality(String), cost_minor Int64)
ENGINE = ReplacingMergeTree ORDER BY (customer_id, at, event_id);

CREATE TABLE alone.costs (campaign_id LowCardinality(String), event_id String, at DateTime64(3), amount_minor Int64)
ENGINE = ReplacingMergeTree ORDER BY (campaign_id, at, event_id);
