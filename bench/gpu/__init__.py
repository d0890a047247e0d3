"""Benchmarks on a CUDA device: `python -m bench.gpu`."""
