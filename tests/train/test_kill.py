"""A training killed by SIGKILL, which nothing can catch, and gone on with."""

import os
import random
import signal
import sys
import time
from functools import partial
from itertools import count

from tests.train.runs import go_on, in_child, result, train

KILLS = 25
MAKES, REMOVES = {"open", "os.mkdir", "os.rename"}, {"os.remove", "os.rmdir"}  # of files, as Python audits them


def test_killed_at_random_moments_a_run_ends_bit_for_bit_as_if_never_killed(tmp_path):
    often = {"epochs": 4, "batch_size": 100, "checkpoint_steps": 5}
    begun = time.monotonic()
    train(tmp_path / "whole", **often)
    seconds, moments = time.monotonic() - begun, random.Random(0)
    whole, run, kills = result(tmp_path / "whole"), tmp_path / "0", 0
    while kills < KILLS:
        child = in_child(partial(go_on, run, **often))
        time.sleep(moments.uniform(0, seconds))
        child.kill()
        child.join()
        if child.exitcode == 0:
            assert result(run) == whole
            run = tmp_path / str(kills)
        else:
            assert child.exitcode == -signal.SIGKILL
            kills += 1
    go_on(run, **often)
    assert result(run) == whole


def kill_at(moment, run, **options):
    """A training killed just before its so-manieth operation on a file of the run's folder."""
    operations = count(1)

    def kill(event, arguments):
        counts = event in REMOVES or (event in MAKES and str(run) in str(arguments[0]))
        if counts and next(operations) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(kill)
    train(run, **options)


def test_killed_before_any_operation_on_a_file_a_run_ends_as_if_never_killed(tmp_path):
    options = {"epochs": 1, "checkpoint_steps": 2, "keep_last": 1}
    train(tmp_path / "whole", **options)
    whole, half_written, half_removed = result(tmp_path / "whole"), False, False
    for moment in count(1):
        run = tmp_path / str(moment)
        child = in_child(partial(kill_at, moment, run, **options))
        child.join()
        if child.exitcode == 0:
            break
        left = {path.name for path in (run / "checkpoints").glob("*")}
        half_written |= ".part-step-000000004" in left
        half_removed |= left == {"step-000000004", ".part-step-000000002"}
        go_on(run, **options)
        assert result(run) == whole
        assert [path.name for path in (run / "checkpoints").iterdir()] == ["step-000000004"]
    assert half_written
    assert half_removed
