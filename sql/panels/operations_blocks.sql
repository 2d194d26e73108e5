histogram_quantile(0.5, sum by (le) (rate(roi_ledger_block_seconds_bucket[5m])))
histogram_quantile(0.99, sum by (le) (rate(roi_ledger_block_seconds_bucket[5m])))
