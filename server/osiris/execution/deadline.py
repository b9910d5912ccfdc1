"""Stopping work whose time is up, wherever it is: in DuckDB, in SQLite, or in a driver's own Python."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

from osiris.drivers.context import StepStopped

REPEAT_SECONDS = 0.5


class Deadline:
    """Inside the block, after ``seconds``, ``stop`` is called again and again until the block ends.

    With ``signals`` (main thread of a process of our own, POSIX) a driver that waits in Python, for a socket or in
    ``sleep``, is woken by a signal and ends with StepStopped. ``expired`` tells whether the time was up.
    """

    def __init__(self, seconds: float | None, stop: Callable[[], None], *, signals: bool) -> None:
        self.seconds = seconds
        self.expired = False
        self._stop = stop
        self._signals = signals
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Deadline:
        """Start the clock."""
        if self.seconds is not None:
            self._thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the clock; no stop and no signal comes after this."""
        self._done.set()
        if self._thread is not None:
            self._thread.join()

    def running(self) -> bool:
        """Whether the time is up while the block still runs."""
        return self.expired and not self._done.is_set()

    def _watch(self) -> None:
        if self._done.wait(self.seconds):
            return
        self.expired = True
        while not self._done.is_set():
            self._stop()
            if self._signals:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
            self._done.wait(REPEAT_SECONDS)


@contextlib.contextmanager
def woken_by_signals(active: Callable[[], bool]) -> Iterator[bool]:
    """Let a signal end what the main thread waits for, while ``active`` says so. Yields whether that works here."""
    works = hasattr(signal, "pthread_kill") and threading.current_thread() is threading.main_thread()
    if not works:
        yield False
        return

    def wake(number: int, frame: FrameType | None) -> None:
        if active():
            raise StepStopped("the time is up")

    before = signal.signal(signal.SIGALRM, wake)
    try:
        yield True
    finally:
        signal.signal(signal.SIGALRM, before)
