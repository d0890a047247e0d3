"""Tensors and devices that Triton supports; losses on a CPU do not import it."""

import subprocess
import sys

import pytest
import torch

from fastlatent.kernels import gpu


@pytest.mark.parametrize("place", ["cpu", "meta"])
def test_other_devices_are_unsupported(place):
    assert gpu.unsupported_reason(torch.empty(2, 2, device=place)) == f"the tensors are on {place}"


def test_float64_is_unsupported(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert gpu.unsupported_reason(torch.empty(2, 2)) is None
    assert "torch.float64" in gpu.unsupported_reason(torch.empty(2, 2, dtype=torch.float64))


@pytest.mark.parametrize(("precision", "expected"), [("highest", "tf32x3"), ("high", "tf32"), ("medium", "tf32")])
def test_input_precision_follows_float32_matmul_precision(precision, expected):
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision(precision)
        assert gpu.input_precision() == expected
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize(
    ("cuda", "capability", "reason"),
    [
        ("13.0", (9, 0), None),
        ("13.0", (7, 5), "the device has compute capability 7.5; the minimum is 8.0"),
        (None, (9, 0), "this PyTorch is not built for CUDA"),
    ],
)
def test_minimal_compute_capability(monkeypatch, cuda, capability, reason):
    pytest.importorskip("triton", reason="triton is not installed (Linux only)")
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert gpu.unavailable.__wrapped__(0) == reason


def test_missing_triton_names_the_extra_to_install(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "pip install 'fastlatent[gpu]'" in gpu.unavailable.__wrapped__(0)


def test_losses_on_cpu_do_not_import_triton():
    code = (
        "import sys, torch, fastlatent as fl; x, y = torch.randn(2, 9, 3); x.requires_grad_();"
        "losses = fl.mmd_imq, fl.cramer_wold, fl.chamfer_distance, fl.sliced_wasserstein, fl.frechet_distance;"
        "sum(loss(x, y) for loss in losses).backward(); print('triton' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False"]
