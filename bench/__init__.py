"""Measurements, `make bench`: this pipeline beside its peers on the same topics in the same run.

Absolute rates belong to a machine; what carries over are the ratios within one run.
"""
