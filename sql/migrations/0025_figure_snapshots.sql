-- The bank's figures for boards: on a large ledger as they were last counted, on a small one as they are.
--
-- The figures of 0006 are counted from single facts, which takes seconds with a million customers, and distinct customers of a
-- month, a quarter and a year do not add up from anything smaller. ClickHouse counts each again every ten minutes, one a minute
-- so that they do not slow each other and everything else, and swaps the result in whole; `counted_at` says when that was.
-- A ledger of fewer rows than 2,000,000 (some 100,000 customers) is counted at each question, and so is one that has not been
-- counted yet. The views of 0006 are what they were, and these show the same rows.

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_transaction_figures
REFRESH EVERY 10 MINUTE OFFSET 0 MINUTE
ENGINE = MergeTree ORDER BY (run, period_kind, period_start)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.transaction_figures
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000;

CREATE OR REPLACE VIEW {database}.board_transaction_figures AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_transaction_figures) AS is_stored
SELECT * FROM {database}.counted_transaction_figures WHERE is_stored
UNION ALL
SELECT *, now64(3, 'UTC') AS counted_at FROM {database}.transaction_figures WHERE NOT is_stored;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_channel_mix
REFRESH EVERY 10 MINUTE OFFSET 1 MINUTE
ENGINE = MergeTree ORDER BY (run, period_kind, period_start, channel)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.channel_mix
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000;

CREATE OR REPLACE VIEW {database}.board_channel_mix AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_channel_mix) AS is_stored
SELECT * FROM {database}.counted_channel_mix WHERE is_stored
UNION ALL
SELECT *, now64(3, 'UTC') AS counted_at FROM {database}.channel_mix WHERE NOT is_stored;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_customer_figures
REFRESH EVERY 10 MINUTE OFFSET 2 MINUTE
ENGINE = MergeTree ORDER BY (run, period_kind, period_start)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.customer_figures
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000;

CREATE OR REPLACE VIEW {database}.board_customer_figures AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_customer_figures) AS is_stored
SELECT * FROM {database}.counted_customer_figures WHERE is_stored
UNION ALL
SELECT *, now64(3, 'UTC') AS counted_at FROM {database}.customer_figures WHERE NOT is_stored;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_campaign_new_customers
REFRESH EVERY 10 MINUTE OFFSET 3 MINUTE
ENGINE = MergeTree ORDER BY (run, campaign_id, period_kind, period_start)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_new_customers
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000;

CREATE OR REPLACE VIEW {database}.board_campaign_new_customers AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_new_customers) AS is_stored
SELECT * FROM {database}.counted_campaign_new_customers WHERE is_stored
UNION ALL
SELECT *, now64(3, 'UTC') AS counted_at FROM {database}.campaign_new_customers WHERE NOT is_stored;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_campaign_recommendations
REFRESH EVERY 10 MINUTE OFFSET 4 MINUTE
ENGINE = MergeTree ORDER BY (run, campaign_id, period_kind, period_start, recommended)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_recommendations
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000;

CREATE OR REPLACE VIEW {database}.board_campaign_recommendations AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_recommendations) AS is_stored
SELECT * FROM {database}.counted_campaign_recommendations WHERE is_stored
UNION ALL
SELECT *, now64(3, 'UTC') AS counted_at FROM {database}.campaign_recommendations WHERE NOT is_stored;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_campaign_automation
REFRESH EVERY 10 MINUTE OFFSET 5 MINUTE
ENGINE = MergeTree ORDER BY (run, campaign_id, period_kind, period_start)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_automation
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000;

CREATE OR REPLACE VIEW {database}.board_campaign_automation AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_automation) AS is_stored
SELECT * FROM {database}.counted_campaign_automation WHERE is_stored
UNION ALL
SELECT *, now64(3, 'UTC') AS counted_at FROM {database}.campaign_automation WHERE NOT is_stored;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_campaign_aum
REFRESH EVERY 10 MINUTE OFFSET 6 MINUTE
ENGINE = MergeTree ORDER BY (run, campaign_id, period_kind, period_start, tier)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_aum
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000;

CREATE OR REPLACE VIEW {database}.board_campaign_aum AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_aum) AS is_stored
SELECT * FROM {database}.counted_campaign_aum WHERE is_stored
UNION ALL
SELECT *, now64(3, 'UTC') AS counted_at FROM {database}.campaign_aum WHERE NOT is_stored;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.counted_campaign_aum_costs
REFRESH EVERY 10 MINUTE OFFSET 7 MINUTE
ENGINE = MergeTree ORDER BY (run, campaign_id, period_kind, period_start, channel_class)
AS SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_aum_costs
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000;

CREATE OR REPLACE VIEW {database}.board_campaign_aum_costs AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_aum_costs) AS is_stored
SELECT * FROM {database}.counted_campaign_aum_costs WHERE is_stored
UNION ALL
SELECT *, now64(3, 'UTC') AS counted_at FROM {database}.campaign_aum_costs WHERE NOT is_stored;
