sum by (topic) (roi_lag_records)
