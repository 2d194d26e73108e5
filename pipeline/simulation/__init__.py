"""A simulated bank whose campaigns' true returns are known, and event mixes for benchmarks. Pure: no I/O, no clock."""
