"""Data sets by name, one module for each family."""
