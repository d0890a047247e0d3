"""Native CPU backend of the spectral engine."""
