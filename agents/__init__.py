"""The Faust app and its agents, one for each event topic: they take batches from the stream and hand them over."""
