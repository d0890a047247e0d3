"""Figures and report of a run."""
