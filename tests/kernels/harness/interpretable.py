"""Tests of Triton kernels whose problems are small enough for Triton's interpreter.

TRITON_INTERPRET is read when Triton is imported, and interpreted kernels cannot be compiled. So without a CUDA device
these files are not collected in the main process; test_interpreter.py runs each in a process with TRITON_INTERPRET=1.
"""

from pathlib import Path

TESTS = Path(__file__).parents[1]
FILES = sorted([*TESTS.glob("*/triton/test_kernels.py"), TESTS / "test_split_bf16.py"])
