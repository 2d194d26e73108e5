"""Kafka: topics, the Faust batch consumer, dimension tables, producers and administration."""
