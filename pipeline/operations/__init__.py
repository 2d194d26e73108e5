"""What commands and the API both tell of a running system: lag, evidence of a number, campaign definitions."""
