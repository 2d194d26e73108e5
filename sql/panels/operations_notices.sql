sum by (outcome) (increase(roi_alert_notifications_total[5m]))
