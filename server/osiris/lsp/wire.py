"""Standard input and output as the wire: nothing but LSP messages passes here.

The process's own file descriptors 0 and 1 are taken away first, so that neither a ``print``, a C library nor a child
process can read from or write to the wire. A thread reads, another writes: the event loop never blocks on the client.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable

_CHUNK = 1 << 16
_HEADER_END = b"\r\n\r\n"


def claim_stdio() -> tuple[int, int]:
    """Private descriptors for the wire: ``(input, output)``.

    Afterwards descriptor 0 reads from the null device, and descriptor 1 and ``sys.stdout`` write to standard error.
    """
    _open_what_is_closed()
    wire_in, wire_out = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (wire_in, wire_out):
            msvcrt.setmode(descriptor, os.O_BINARY)  # Line ends are counted in Content-Length: none may be added.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if sys.stdout is not None:
        sys.stdout.flush()
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return wire_in, wire_out


def _open_what_is_closed() -> None:
    """Point closed standard streams at the null device, so that no other file gets their number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)


class Framing:
    """Cuts a byte stream into message bodies by their ``Content-Length`` headers."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take more bytes in; return the bodies that are complete now. A header block without a length is skipped."""
        self._buffer += chunk
        bodies: list[bytes] = []
        while (end := self._buffer.find(_HEADER_END)) >= 0:
            start = end + len(_HEADER_END)
            length = _content_length(bytes(self._buffer[:end]))
            if len(self._buffer) < start + length:
                break
            if length:
                bodies.append(bytes(self._buffer[start : start + length]))
            del self._buffer[: start + length]
        return bodies


def _content_length(header: bytes) -> int:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0


class Reader(threading.Thread):
    """Reads messages from a descriptor and hands each body to ``deliver``, from its own thread; None means the end.

    ``deliver`` returns False when nobody listens any more.
    """

    def __init__(self, descriptor: int, deliver: Callable[[bytes | None], bool]) -> None:
        super().__init__(name="osiris-lsp-reader", daemon=True)
        self._descriptor = descriptor
        self._deliver = deliver

    def run(self) -> None:
        """Read until the client closes its end."""
        framing = Framing()
        while True:
            try:
                chunk = os.read(self._descriptor, _CHUNK)
            except OSError:
                chunk = b""
            if not chunk:
                break
            if not all(self._deliver(body) for body in framing.feed(chunk)):
                return
        self._deliver(None)


class Writer(threading.Thread):
    """Writes whole messages in the order of ``write``. A client that reads slowly holds up this thread alone."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(name="osiris-lsp-writer", daemon=True)
        self._descriptor = descriptor
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def write(self, data: bytes) -> None:
        """Queue one framed message."""
        self._queue.put(data)

    def close(self, timeout: float = 2.0) -> None:
        """Write what is queued, then end; gives up after ``timeout`` seconds on a client that no longer reads."""
        self._queue.put(None)
        if self.is_alive():
            self.join(timeout)

    def run(self) -> None:
        """Write until closed. A client that has gone away ends the writing; the reader sees its end of the stream."""
        while (data := self._queue.get()) is not None:
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
            except OSError:
                return
