"""Monitoring of a training: losses, progress, records and loggers."""
