"""Implementations in common use, that the benchmarks time and the tests compare with."""
