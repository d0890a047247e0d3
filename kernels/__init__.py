"""Computation engines of fastlatent: one package per engine, one subpackage per backend."""
