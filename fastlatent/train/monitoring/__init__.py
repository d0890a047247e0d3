"""Monitoring of a training: losses, progress, records of epochs, loggers."""
