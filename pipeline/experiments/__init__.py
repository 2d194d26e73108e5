"""A/B analysis: what a campaign caused, told from the customers it was withheld from (contract section 9).

Pure: `moments` (exact sums of an arm), `lifts` (Welch, CUPED, ratios), `always_valid` (peeking is safe),
`sample_ratio`, `discovery` (many comparisons), `tiers` (does the effect differ), `planning` (how long it will take),
`incremental` (in money), `verdict` (what to do, in words), `analysis` (all of it), `assignment` (who gets which
variant). The way in and
out: `reading`, `storing`. docs/ab.md has the method, its assumptions and what it was measured to do.
"""
