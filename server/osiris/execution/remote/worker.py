"""A worker on another machine, with the same face as the process on this one that carries out a run."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from osiris.execution.remote.machine import Machines
from osiris.execution.remote.session import Job, Session

END_SECONDS = 20.0  # for so long we wait for a machine to end; then its own time limit must do


class RemoteWorker:
    """Carries out a run elsewhere. What it has to say comes over ``channel``, as from a process."""

    def __init__(self, job: Job, machines: Machines, *, attach: bool = False) -> None:
        """``attach``: the run goes on there already, and lost its host."""
        self.channel = _Ends(self)
        self.session = Session(job, machines, lambda paths: self.channel.messages.put({"temporary": paths}))
        self._way: Callable[[], dict[str, Any]] = self.session.go_on if attach else self.session.run
        self._thread: threading.Thread | None = None
        self._died = "it is not known how"

    def start(self) -> None:
        """Begin; a second time does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._carry_out, daemon=True)
            self._thread.start()

    def _carry_out(self) -> None:
        try:
            end = self._way()
        except BaseException:
            self.channel.messages.put(None)
            raise
        if "died" in end:
            self._died = str(end["died"])
            self.channel.messages.put(None)
        else:
            self.channel.messages.put(end)

    def alive(self) -> bool:
        """Whether it can carry out a run, or does."""
        return self._thread is None or self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Wait for the end; False when it has not come after ``seconds``."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def kill(self) -> None:
        """End the machine with everything on it."""
        self.session.abandon()
        self.wait(END_SECONDS)

    def dismiss(self) -> None:
        """Nothing was begun, so there is nothing to end."""

    def ended_how(self) -> str:
        """In words, how the process there came to its end."""
        return self._died


class _Ends:
    """The two ends of what a supervisor takes for a channel."""

    def __init__(self, worker: RemoteWorker) -> None:
        self._worker = worker
        self.messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()

    def send(self, message: dict[str, Any]) -> bool:
        """Begin, or cancel."""
        if message.get("cancel"):
            self._worker.session.cancel()
        else:
            self._worker.start()
        return True

    def receive(self) -> dict[str, Any] | None:
        """How it ended; None when the process there died."""
        return self.messages.get()

    def close(self) -> None:
        """There is nothing to close."""
