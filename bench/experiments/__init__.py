"""Calibration of A/B analysis: experiments without any effect, analysed as the product does (docs/ab.md)."""
