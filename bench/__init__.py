"""Benchmarks against the usual implementations: `make bench`."""
