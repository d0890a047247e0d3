"""Native CPU backend of the pairwise engine."""
