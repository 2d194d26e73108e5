"""The compiled core behind the core's port: what native/*.c counts, and what stays in pipeline/state."""
