histogram_quantile(0.5, sum by (le) (rate(roi_alert_turn_seconds_bucket[5m])))
histogram_quantile(0.99, sum by (le) (rate(roi_alert_turn_seconds_bucket[5m])))
max(roi_alerts_turn_age_seconds and on (instance) roi_alerts_deciding == 1)
