"""The alert rule as of every step of the past, over a run's ledger or a warehouse's export, and what it is in money."""
