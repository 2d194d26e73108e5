sum by (topic, reason) (rate(roi_dead_letters_total[5m])) > 0
