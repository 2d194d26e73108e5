sum by (topic) (rate(roi_events_total[1m]))
