"""The messages of a worker elsewhere, read as they are written."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from osiris.execution.remote import protocol
from osiris.execution.remote.errors import ConnectionLost
from osiris.execution.remote.machine import Machine

SILENCE_SECONDS = 20.0  # it says something every two
_TICK = 0.05
_MOST_SILENCES = 6  # one after the other: then nobody is there to say anything


class Wire:
    """The messages of the worker there. A connection that is lost goes on where it was."""

    def __init__(self, machine: Machine, command: list[str], pid: int) -> None:
        self._machine = machine
        self._command = command
        self._pid = pid
        self._offset = 0
        self._rest = b""
        self._heard = time.monotonic()
        self._pieces: queue.SimpleQueue[bytes | Exception | None] | None = None
        self._silences = 0
        self.over = False

    def messages(self, again: Callable[[Callable[[], Any]], Any]) -> Iterator[dict[str, Any]]:
        """What has come since the last call; waits a moment for it. Raises what the machine raises."""
        if self._pieces is None:
            self._open()
        assert self._pieces is not None
        try:
            piece = self._pieces.get(timeout=_TICK)
        except queue.Empty:
            if time.monotonic() - self._heard > SILENCE_SECONDS:
                self._silences += 1
                self.over = self._silences >= _MOST_SILENCES
                self._lost(again)
            return
        if isinstance(piece, ConnectionLost):
            self._lost(again)
            return
        if isinstance(piece, Exception):
            raise piece
        if piece is None:
            self.over = True
            return
        self._heard, self._silences = time.monotonic(), 0
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._offset += len(line) + 1
            if (message := protocol.read_line(line)) is not None:
                yield message

    def _open(self) -> None:
        """Follow the file from where we are, in a thread of its own."""
        place = f"{self._machine.home}/{protocol.WIRE}"
        command = [*self._command, place, str(self._offset), str(self._pid)]
        pieces: queue.SimpleQueue[bytes | Exception | None] = queue.SimpleQueue()
        self._pieces, self._rest, self._heard = pieces, b"", time.monotonic()

        def read() -> None:
            try:
                for piece in self._machine.stream(command):
                    if self._pieces is not pieces:
                        return
                    pieces.put(piece)
                pieces.put(None)
            except Exception as error:  # noqa: BLE001 - whoever follows hears of it
                pieces.put(error)

        threading.Thread(target=read, daemon=True).start()

    def _lost(self, again: Callable[[Callable[[], Any]], Any]) -> None:
        """See whether the machine is there; then the next look follows it again."""
        self._pieces = None
        again(lambda: self._machine.run(["/bin/true"], seconds=10))

    def close(self) -> None:
        """Follow no longer."""
        self._pieces = None
