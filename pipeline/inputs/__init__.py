"""Files in place of topics: archives, tables and lines of events as bounded logs, without any broker."""
