"""Early termination of a training: by SIGINT or SIGTERM, or on divergence."""

import signal
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any


class TrainingInterrupted(KeyboardInterrupt):
    """A training stopped by a signal, after saving its state.

    Args:
        message: position of the training and path of its checkpoint.
        run_dir: run folder.
        signal: number of the signal.
    """

    def __init__(self, message: str, run_dir: Path, signal: int) -> None:
        super().__init__(message)
        self.run_dir, self.signal = run_dir, signal


class DivergenceError(FloatingPointError):
    """A loss or a weight is not finite, or a loss exceeds the divergence limit."""


class StopSignals:
    """Context in which the first SIGINT or SIGTERM is recorded; a second one has its usual effect.

    Signals reach the main thread only; in other threads nothing is recorded.
    """

    def __init__(self) -> None:
        self.number: int | None = None  # number of the recorded signal
        self._handlers: dict[int, Any] = {}  # handlers outside the context

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:  # such as SIGINT in a background process
                    self._handlers[number] = signal.signal(number, self._record)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._restore()

    def _record(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}
