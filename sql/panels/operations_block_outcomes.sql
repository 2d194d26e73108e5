sum by (outcome) (rate(roi_ledger_blocks_total[5m]))
