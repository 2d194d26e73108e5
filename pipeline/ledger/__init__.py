"""The ledger: one fenced INSERT makes facts, numbers and Kafka positions durable together, and gives them back."""
