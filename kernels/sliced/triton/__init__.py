"""Triton backend of the sliced engine."""
