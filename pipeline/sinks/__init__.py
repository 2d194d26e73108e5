"""ClickHouse: connections, migrations, and the ledger that makes state and positions durable together."""
