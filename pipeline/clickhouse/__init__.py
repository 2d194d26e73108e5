"""ClickHouse as a client sees it: connections, queries of the reader, Native format, SQL files and migrations."""
