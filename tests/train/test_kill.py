"""Trainings killed by SIGKILL and resumed."""

import os
import random
import signal
import sys
import time
from functools import partial
from itertools import count

import pytest

from tests.train.runs import in_child, result, start_or_resume, train

pytestmark = pytest.mark.slow

KILLS = 25
CREATE, REMOVE = {"open", "os.mkdir", "os.rename"}, {"os.remove", "os.rmdir"}  # Python's audit events of files


def test_resume_after_kills_at_random_times_is_bitwise_identical(tmp_path):
    options = {"epochs": 4, "batch_size": 100, "checkpoint_steps": 5}
    start = time.monotonic()
    train(tmp_path / "whole", **options)
    seconds, generator = time.monotonic() - start, random.Random(0)
    whole, run, kills = result(tmp_path / "whole"), tmp_path / "0", 0
    while kills < KILLS:
        child = in_child(partial(start_or_resume, run, **options))
        time.sleep(generator.uniform(0, seconds))
        child.kill()
        child.join()
        if child.exitcode == 0:
            assert result(run) == whole
            run = tmp_path / str(kills)
        else:
            assert child.exitcode == -signal.SIGKILL
            kills += 1
    start_or_resume(run, **options)
    assert result(run) == whole


def kill_at(operation, run, **options):
    """Train, and kill the process before its n-th operation on a file of the run folder, n = `operation`."""
    operations = count(1)

    def kill(event, arguments):
        is_file_operation = event in REMOVE or (event in CREATE and str(run) in str(arguments[0]))
        if is_file_operation and next(operations) == operation:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(kill)
    train(run, **options)


def test_resume_after_a_kill_before_each_file_operation_is_bitwise_identical(tmp_path):
    options = {"epochs": 1, "checkpoint_steps": 2, "keep_last": 1}
    train(tmp_path / "whole", **options)
    whole, half_written, half_removed = result(tmp_path / "whole"), False, False
    for operation in count(1):
        run = tmp_path / str(operation)
        child = in_child(partial(kill_at, operation, run, **options))
        child.join()
        if child.exitcode == 0:
            break
        names = {path.name for path in (run / "checkpoints").glob("*")}
        half_written |= ".part-step-000000004" in names
        half_removed |= names == {"step-000000004", ".part-step-000000002"}
        start_or_resume(run, **options)
        assert result(run) == whole
        assert [path.name for path in (run / "checkpoints").iterdir()] == ["step-000000004"]
    assert half_written
    assert half_removed
