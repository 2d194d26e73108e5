sum(rate(roi_ledger_rows_total[1m]))
