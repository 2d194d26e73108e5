"""A ClickHouse HTTP endpoint in front of chDB, for machines without a ClickHouse server."""
