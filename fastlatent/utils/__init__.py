"""Helpers that several packages share: argument checks, atomic file writes, memory, threads."""
