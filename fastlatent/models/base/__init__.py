"""Base class of the models, training phases and data parallelism."""
