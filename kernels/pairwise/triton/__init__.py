"""Triton backend of the pairwise engine."""
