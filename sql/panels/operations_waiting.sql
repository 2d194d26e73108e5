sum by (kind) (roi_alerts_waiting)
