"""Availability of the backends as `show_config` and `fastlatent doctor` report it."""

import os
import subprocess
import sys

import pytest
import torch

import fastlatent as fl
from fastlatent.kernels import gpu, native
from fastlatent.show_config import configuration


def test_show_config_lists_versions_threads_and_backends(capsys):
    fl.show_config()
    output = capsys.readouterr().out
    for text in ("fastlatent", torch.__version__, "threads", "backend cpu", native.module().isa(), "backend triton"):
        assert text in output


def test_show_config_reports_missing_native_module(without_native, capsys):
    fl.show_config()
    assert "the native module was not built" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reason", "row"), [(None, "yes (float32 matmul in tf32x3)"), ("it is too old", "no: it is too old")]
)
def test_show_config_reports_triton(monkeypatch, reason, row):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a device")
    monkeypatch.setattr(gpu, "unavailable", lambda device: reason)
    assert configuration()["backend triton"] == row


def test_show_config_reports_unavailable_instruction_set():
    result = subprocess.run(
        [sys.executable, "-c", "import fastlatent; fastlatent.show_config()"],
        env=os.environ | {"FASTLATENT_CPU_ISA": "sse9"},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = dict(line.split("  ", 1) for line in result.stdout.splitlines())
    assert rows["backend cpu"].strip().startswith("no: instruction set 'sse9' is not available here")
    assert "cpu" not in rows["engine pairwise"]
