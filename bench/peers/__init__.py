"""Implementations in common use, for comparison in benchmarks and tests."""
