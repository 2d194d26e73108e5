"""The arithmetic of the measurements; the measurements themselves are `make bench`."""
