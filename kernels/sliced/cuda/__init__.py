"""CUDA C++ backend of the sliced engine."""
