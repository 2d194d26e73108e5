"""Two runs side by side: whether they are equal row for row, and if not, what differs and why."""
