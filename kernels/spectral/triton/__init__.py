"""Triton backend of the spectral engine."""
