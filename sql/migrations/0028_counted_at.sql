-- The views of 0025 tell when their figures were counted where that is not now: null = counted at the question. So a reader can
-- be told of figures that are some minutes old, and an answer that is counted anew stays the same while the ledger does.

CREATE OR REPLACE VIEW {database}.board_transaction_figures AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_transaction_figures) AS is_stored
SELECT * REPLACE (toNullable(counted_at) AS counted_at) FROM {database}.counted_transaction_figures WHERE is_stored
UNION ALL
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.transaction_figures WHERE NOT is_stored;

CREATE OR REPLACE VIEW {database}.board_channel_mix AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_channel_mix) AS is_stored
SELECT * REPLACE (toNullable(counted_at) AS counted_at) FROM {database}.counted_channel_mix WHERE is_stored
UNION ALL
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.channel_mix WHERE NOT is_stored;

CREATE OR REPLACE VIEW {database}.board_customer_figures AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_customer_figures) AS is_stored
SELECT * REPLACE (toNullable(counted_at) AS counted_at) FROM {database}.counted_customer_figures WHERE is_stored
UNION ALL
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.customer_figures WHERE NOT is_stored;

CREATE OR REPLACE VIEW {database}.board_campaign_new_customers AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_new_customers) AS is_stored
SELECT * REPLACE (toNullable(counted_at) AS counted_at) FROM {database}.counted_campaign_new_customers WHERE is_stored
UNION ALL
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.campaign_new_customers WHERE NOT is_stored;

CREATE OR REPLACE VIEW {database}.board_campaign_recommendations AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_recommendations) AS is_stored
SELECT * REPLACE (toNullable(counted_at) AS counted_at) FROM {database}.counted_campaign_recommendations WHERE is_stored
UNION ALL
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.campaign_recommendations WHERE NOT is_stored;

CREATE OR REPLACE VIEW {database}.board_campaign_automation AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_automation) AS is_stored
SELECT * REPLACE (toNullable(counted_at) AS counted_at) FROM {database}.counted_campaign_automation WHERE is_stored
UNION ALL
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.campaign_automation WHERE NOT is_stored;

CREATE OR REPLACE VIEW {database}.board_campaign_aum AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_aum) AS is_stored
SELECT * REPLACE (toNullable(counted_at) AS counted_at) FROM {database}.counted_campaign_aum WHERE is_stored
UNION ALL
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.campaign_aum WHERE NOT is_stored;

CREATE OR REPLACE VIEW {database}.board_campaign_aum_costs AS
WITH (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
    AND (SELECT count() > 0 FROM {database}.counted_campaign_aum_costs) AS is_stored
SELECT * REPLACE (toNullable(counted_at) AS counted_at) FROM {database}.counted_campaign_aum_costs WHERE is_stored
UNION ALL
SELECT *, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS counted_at FROM {database}.campaign_aum_costs WHERE NOT is_stored;
