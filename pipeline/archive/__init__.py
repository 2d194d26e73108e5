"""Topics written to Parquet, without customer ids, so that a replay of them gives the same numbers."""
