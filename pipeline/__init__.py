"""Live return on campaigns: Kafka events in, exact campaign numbers in ClickHouse out."""
