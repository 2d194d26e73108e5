"""Other ways to read the same topics, each a process of its own that prints what it took."""
