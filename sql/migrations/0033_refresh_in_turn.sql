-- The counts of 0025 in turn, on one thread, once an hour: with a million customers one of them takes a minute of processor time
-- and more, and after a restart all eight began at once, beside the workers that catch up.

ALTER TABLE {database}.counted_transaction_figures MODIFY REFRESH EVERY 1 HOUR;

ALTER TABLE {database}.counted_transaction_figures MODIFY QUERY
SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.transaction_figures
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

ALTER TABLE {database}.counted_channel_mix MODIFY REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_transaction_figures;

ALTER TABLE {database}.counted_channel_mix MODIFY QUERY
SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.channel_mix
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

ALTER TABLE {database}.counted_campaign_aum MODIFY REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_channel_mix;

ALTER TABLE {database}.counted_campaign_aum MODIFY QUERY
SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_aum
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

ALTER TABLE {database}.counted_campaign_aum_costs MODIFY REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_campaign_aum;

ALTER TABLE {database}.counted_campaign_aum_costs MODIFY QUERY
SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_aum_costs
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

ALTER TABLE {database}.counted_campaign_automation MODIFY REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_campaign_aum_costs;

ALTER TABLE {database}.counted_campaign_automation MODIFY QUERY
SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_automation
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

ALTER TABLE {database}.counted_campaign_recommendations MODIFY REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_campaign_automation;

ALTER TABLE {database}.counted_campaign_recommendations MODIFY QUERY
SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_recommendations
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

ALTER TABLE {database}.counted_campaign_new_customers MODIFY REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_campaign_recommendations;

ALTER TABLE {database}.counted_campaign_new_customers MODIFY QUERY
SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.campaign_new_customers
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;

ALTER TABLE {database}.counted_customer_figures MODIFY REFRESH EVERY 1 HOUR DEPENDS ON {database}.counted_campaign_new_customers;

ALTER TABLE {database}.counted_customer_figures MODIFY QUERY
SELECT *, now64(3, 'UTC') AS counted_at
FROM {database}.customer_figures
WHERE (SELECT sum(total_rows) FROM system.tables WHERE database = '{database}' AND name = 'ledger') >= 2000000
SETTINGS max_threads = 1;
