sum(rate(roi_ledger_bytes_total[1m]))
