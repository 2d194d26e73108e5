"""What the numbers mean: the registry of metric definitions, and metrics that need more than SQL."""
