"""Early ends of a training: signals, write errors, divergence."""

import errno
import os
import re
import resource
import signal
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import pytest
from safetensors.torch import load_file

from fastlatent.data import Batch
from fastlatent.train import DivergenceError, TrainingInterrupted
from fastlatent.train.state import TrainingState
from tests.train.runs import result, train

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def foreground():
    """Restore the default handler of SIGINT, which a background process of a shell inherits as ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Result of an uninterrupted run of two epochs of four steps."""
    run = tmp_path_factory.mktemp("whole") / "run"
    train(run)
    return result(run)


def apply_hook(hook, batch):
    new_batch = hook(batch)
    return new_batch if isinstance(new_batch, Batch) else batch


def before_step(monkeypatch, step, hook):
    """Call the hook with the batch before a step of the training, counted from 1; it may return another batch."""
    train_step = TrainingState.train_step

    def hooked(state, batch):
        train_step(state, apply_hook(hook, batch) if state.total_steps + 1 == step else batch)

    monkeypatch.setattr(TrainingState, "train_step", hooked)


def checkpoints(run):
    return sorted(path.name for path in (run / "checkpoints").iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_step_and_saves(tmp_path, monkeypatch, whole, number):
    handler = signal.getsignal(number)
    with monkeypatch.context() as patch:
        before_step(patch, 6, lambda batch: os.kill(os.getpid(), number))
        with pytest.raises(
            TrainingInterrupted, match=r"stopped after step 2 of epoch 2; saved as .*step-000000006"
        ) as interrupted:
            train(tmp_path / "run")
    assert (interrupted.value.run_dir, interrupted.value.signal) == (tmp_path / "run", number)
    assert signal.getsignal(number) == handler
    train(tmp_path / "run", resume=True)
    assert result(tmp_path / "run") == whole


def test_second_signal_stops_immediately(tmp_path, monkeypatch):
    def signal_twice(batch):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    before_step(monkeypatch, 2, signal_twice)
    with pytest.raises(KeyboardInterrupt) as interrupted:
        train(tmp_path / "run")
    assert not isinstance(interrupted.value, TrainingInterrupted)


def test_training_outside_the_main_thread(tmp_path, whole):
    thread = threading.Thread(target=train, args=(tmp_path / "run",))
    thread.start()
    thread.join()
    assert result(tmp_path / "run") == whole


@contextmanager
def disk_full():
    """Let writes fail after 100 bytes."""
    write = Path.write_bytes

    def write_partly(path, data):
        write(path, data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with mock.patch.object(Path, "write_bytes", write_partly):
        yield


@contextmanager
def file_size_limited():
    """Limit the size of files; the kernel enforces it during a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only():
    """Let the creation of folders fail."""
    with mock.patch.object(Path, "mkdir", side_effect=OSError(errno.EROFS, os.strerror(errno.EROFS))):
        yield


DISK_ERRORS = [
    (disk_full, "No space left on device"),
    (file_size_limited, "File too large"),
    (read_only, "Read-only file system"),
]


@pytest.mark.parametrize(("fail", "message"), DISK_ERRORS, ids=lambda value: getattr(value, "__name__", ""))
def test_write_errors_name_the_file_and_keep_the_previous_checkpoint(tmp_path, monkeypatch, whole, fail, message):
    run = tmp_path / "run"
    with monkeypatch.context() as patch, ExitStack() as stack:
        before_step(patch, 6, lambda batch: stack.enter_context(fail()))
        with pytest.raises(OSError, match=message) as error:
            train(run, checkpoint_steps=3)
    failed, previous = (run / "checkpoints" / f"step-00000000{step}" for step in (6, 3))
    assert str(error.value) == f"cannot write {failed}: {message}; the last good checkpoint is {previous}"
    assert checkpoints(run) == [previous.name]
    train(run, resume=True, checkpoint_steps=3)
    assert result(run) == whole


def test_write_errors_of_metrics_name_the_file(tmp_path, monkeypatch):
    run = tmp_path / "run"
    before_step(monkeypatch, 4, lambda batch: (run / "metrics.jsonl").mkdir())
    with pytest.raises(OSError, match=r"cannot write .*metrics.jsonl: Is a directory; there is no checkpoint yet"):
        train(run)


@pytest.mark.parametrize(("factor", "value"), [(float("nan"), "nan"), (float("inf"), "nan|inf"), (1e6, r"\d.*e\+1\d")])
def test_divergence_names_step_phase_and_last_checkpoint(tmp_path, monkeypatch, factor, value):
    run = tmp_path / "run"
    before_step(monkeypatch, 6, lambda batch: Batch(batch.x * factor, batch.label))
    message = (
        rf"the loss of phase 'autoencoder' is ({value}) at step 2 of epoch 2; "
        rf"the last good checkpoint is {re.escape(str(run))}/checkpoints/step-000000004"
    )
    with pytest.raises(DivergenceError, match=message):
        train(run, checkpoint_steps=2)
    assert checkpoints(run) == ["step-000000002", "step-000000004"]
    newest = load_file(run / "checkpoints" / "step-000000004" / "state.safetensors")
    assert all(tensor.isfinite().all() for tensor in newest.values())


def test_non_finite_weights_are_never_saved(tmp_path, monkeypatch):
    run = tmp_path / "run"
    is_finite = TrainingState.is_finite

    def spoil(state):
        if state.total_steps == 4:
            next(state.model.parameters()).data[0] = float("nan")  # as by an infinite gradient of a finite loss
        return is_finite(state)

    monkeypatch.setattr(TrainingState, "is_finite", spoil)
    with pytest.raises(DivergenceError, match=r"weights are not finite after epoch 1; the last good .*step-000000002"):
        train(run, checkpoint_steps=2)
    assert checkpoints(run) == ["step-000000002"]
