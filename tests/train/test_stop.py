"""What stops a training: a signal, a disk that takes nothing more, a loss that is lost."""

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


@pytest.fixture(autouse=True)
def in_the_foreground():
    """A process that a shell started in the background inherits that Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What the run of two epochs of four steps ends with that nothing stops."""
    run = tmp_path_factory.mktemp("whole") / "run"
    train(run)
    return result(run)


def changed(batch, happens):
    made = happens(batch)
    return made if isinstance(made, Batch) else batch


def at(monkeypatch, step, happens):
    """Let something happen to the batch before a step of the training, counted from 1."""
    advance = TrainingState.advance

    def advances(state, batch):
        advance(state, changed(batch, happens) if state.total + 1 == step else batch)

    monkeypatch.setattr(TrainingState, "advance", advances)


def checkpoints(run):
    return sorted(path.name for path in (run / "checkpoints").iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_ends_its_step_and_saves(tmp_path, monkeypatch, whole, number):
    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        at(patch, 6, lambda batch: os.kill(os.getpid(), number))
        with pytest.raises(
            TrainingInterrupted, match=r"stopped after step 2 of epoch 2; saved as .*step-000000006"
        ) as stopped:
            train(tmp_path / "run")
    assert (stopped.value.run, stopped.value.signal) == (tmp_path / "run", number)
    assert signal.getsignal(number) == before
    train(tmp_path / "run", resume=True)
    assert result(tmp_path / "run") == whole


def test_the_second_ctrl_c_stops_at_once(tmp_path, monkeypatch):
    def twice(batch):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    at(monkeypatch, 2, twice)
    with pytest.raises(KeyboardInterrupt) as stopped:
        train(tmp_path / "run")
    assert not isinstance(stopped.value, TrainingInterrupted)


def test_beside_the_main_thread_it_trains_as_well(tmp_path, whole):
    thread = threading.Thread(target=train, args=(tmp_path / "run",))
    thread.start()
    thread.join()
    assert result(tmp_path / "run") == whole


@contextmanager
def full():
    """A disk on which there is room for some more bytes."""
    write = Path.write_bytes

    def writes(path, data):
        write(path, data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with mock.patch.object(Path, "write_bytes", writes):
        yield


@contextmanager
def limited():
    """A limit on the size of files, which the kernel enforces in the midst of writing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only():
    """A file system that takes no new folder."""
    with mock.patch.object(Path, "mkdir", side_effect=OSError(errno.EROFS, os.strerror(errno.EROFS))):
        yield


DISKS = [(full, "No space left on device"), (limited, "File too large"), (read_only, "Read-only file system")]


@pytest.mark.parametrize(("disk", "says"), DISKS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_disk_that_takes_nothing_more_is_named_and_the_checkpoint_before_is_kept(
    tmp_path, monkeypatch, whole, disk, says
):
    run = tmp_path / "run"
    with monkeypatch.context() as patch, ExitStack() as until_caught:
        at(patch, 6, lambda batch: until_caught.enter_context(disk()))
        with pytest.raises(OSError, match=says) as error:
            train(run, checkpoint_steps=3)
    written, kept = (run / "checkpoints" / f"step-00000000{step}" for step in (6, 3))
    assert str(error.value) == f"cannot write {written}: {says}; the last good checkpoint is {kept}"
    assert checkpoints(run) == [kept.name]
    train(run, resume=True, checkpoint_steps=3)
    assert result(run) == whole


def test_metrics_that_cannot_be_written_are_named(tmp_path, monkeypatch):
    run = tmp_path / "run"
    at(monkeypatch, 4, lambda batch: (run / "metrics.jsonl").mkdir())
    with pytest.raises(OSError, match=r"cannot write .*metrics.jsonl: Is a directory; there is no checkpoint yet"):
        train(run)


@pytest.mark.parametrize(("factor", "value"), [(float("nan"), "nan"), (float("inf"), "nan|inf"), (1e6, r"\d.*e\+1\d")])
def test_a_lost_loss_is_named_with_its_step_its_phase_and_the_last_good_checkpoint(
    tmp_path, monkeypatch, factor, value
):
    run = tmp_path / "run"
    at(monkeypatch, 6, lambda batch: Batch(batch.x * factor, batch.label))
    says = (
        rf"the loss of phase 'autoencoder' is ({value}) at step 2 of epoch 2; "
        rf"the last good checkpoint is {re.escape(str(run))}/checkpoints/step-000000004"
    )
    with pytest.raises(DivergenceError, match=says):
        train(run, checkpoint_steps=2)
    assert checkpoints(run) == ["step-000000002", "step-000000004"]
    newest = load_file(run / "checkpoints" / "step-000000004" / "state.safetensors")
    assert all(tensor.isfinite().all() for tensor in newest.values())


def test_weights_that_are_not_finite_are_never_saved(tmp_path, monkeypatch):
    run = tmp_path / "run"
    finite = TrainingState.finite

    def spoilt(state):
        if state.total == 4:
            next(state.model.parameters()).data[0] = float("nan")  # as by an infinite gradient of a finite loss
        return finite(state)

    monkeypatch.setattr(TrainingState, "finite", spoilt)
    with pytest.raises(DivergenceError, match=r"weights are not finite after epoch 1; the last good .*step-000000002"):
        train(run, checkpoint_steps=2)
    assert checkpoints(run) == ["step-000000002"]
