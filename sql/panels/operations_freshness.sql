histogram_quantile(0.5, sum by (le) (rate(roi_freshness_seconds_bucket[5m])))
histogram_quantile(0.95, sum by (le) (rate(roi_freshness_seconds_bucket[5m])))
histogram_quantile(0.99, sum by (le) (rate(roi_freshness_seconds_bucket[5m])))
