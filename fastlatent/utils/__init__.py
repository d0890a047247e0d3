"""Shared helpers: argument checks, atomic file writes, collectives, memory and threads."""
