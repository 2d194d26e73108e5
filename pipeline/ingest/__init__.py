"""Files of events (NDJSON, plain or gzip) into Kafka: flat memory, bad lines refused one by one."""
