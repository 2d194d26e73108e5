"""Real data as events: one module per data set, each a command of its own."""
