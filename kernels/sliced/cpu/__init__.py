"""Native CPU backend of the sliced engine."""
