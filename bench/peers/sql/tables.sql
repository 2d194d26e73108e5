CREATE TABLE IF NOT EXISTS roi.peer_campaigns
(
    campaign_id LowCardinality(String),
    touches Int64,
    reached Int64,
    conversions Int64,
    converters Int64,
    cost_minor Int64,
    return_minor Int64
)
ENGINE = SummingMergeTree
ORDER BY campaign_id;

CREATE TABLE IF NOT EXISTS roi.peer_activity
(
    day Int32,
    change Int64
)
ENGINE = SummingMergeTree
ORDER BY day;
