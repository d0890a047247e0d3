"""What ends a training early: Ctrl-C and SIGTERM, after the step under way; a loss that is lost."""

import signal
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any


class TrainingInterrupted(KeyboardInterrupt):
    """A training that was asked to stop, stopped after saving its state.

    Args:
        message: where it stands.
        run: the folder of the run.
        signal: which asked.
    """

    def __init__(self, message: str, run: Path, signal: int) -> None:
        super().__init__(message)
        self.run, self.signal = run, signal


class DivergenceError(FloatingPointError):
    """A loss is no longer finite, or grew beyond all measure."""


class StopSignals:
    """Within it, the first Ctrl-C or SIGTERM is noted; a second one has its usual effect.

    Signals reach the main thread alone: in others nothing is noted.
    """

    def __init__(self) -> None:
        self.caught: int | None = None
        self.before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:  # such as Ctrl-C for what runs in the background
                    self.before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._release()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.caught = number
        self._release()

    def _release(self) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.before = {}
