"""Generators of the parts of README and docs that come from the code."""
