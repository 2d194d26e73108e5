"""Everything on one machine: broker, ClickHouse endpoint, workers and board as children of one supervisor."""
