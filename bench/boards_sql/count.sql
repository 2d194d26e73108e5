SELECT count() FROM {database}.ledger
