"""A small live page and JSON of the campaigns' totals."""
