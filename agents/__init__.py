"""Faust agents, one per topic: they take batches from the stream and hand them over."""
