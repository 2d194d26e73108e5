"""The HTTP side: a small live page, the campaigns' totals, and what people do about alerts."""
