"""The process that decides about alerts: facts, rule, lifecycle and delivery put together."""
