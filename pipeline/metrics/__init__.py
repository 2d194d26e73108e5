"""What the numbers mean: the registry of metric definitions."""
