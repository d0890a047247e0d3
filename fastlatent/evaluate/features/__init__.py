"""Feature extractors for image distances."""
