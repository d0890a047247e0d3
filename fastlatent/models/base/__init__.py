"""What the trainer requires of a model: phases, sampling, data parallelism."""
