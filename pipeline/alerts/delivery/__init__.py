"""From what waits on the desk to the receivers: planning, texts, channels, and sinks beside them."""
