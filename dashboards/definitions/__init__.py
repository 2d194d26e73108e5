"""What boards are made of: panels, columns, variables, and the macros in their SQL."""
