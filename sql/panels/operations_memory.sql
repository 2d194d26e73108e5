process_resident_memory_bytes{job=~"worker|alerts"}
