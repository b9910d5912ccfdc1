"""HTTP/1.1 as the double speaks it: bodies of both kinds, frames of Connect streams, faults on order, and a record."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

_PIECE = 65_536


class CutError(Exception):
    """The connection was cut on purpose, or the client is gone."""


@dataclass
class Fault:
    """Something that goes wrong with requests of one operation (or ``*``: of all).

    ``times``: how often (None: always); ``after``: so many of them go well first. ``status`` with ``message``: the
    answer; ``delay``: seconds before it; ``drop``: no answer at all; ``cut_after``: the connection ends after so many
    bytes of the body; ``changed``: what becomes of a body that is read at once; ``then``: called instead of all that.
    """

    operation: str
    times: int | None = None
    after: int = 0
    status: int | None = None
    message: str = "on order"
    delay: float = 0.0
    drop: bool = False
    cut_after: int | None = None
    changed: Callable[[bytes], bytes] | None = None
    then: Callable[[], object] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    taken: int = 0


class Faults:
    """The faults that are on order."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        """Order a fault."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """All goes well again."""
        with self._lock:
            self._faults.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault that hits this request."""
        with self._lock:
            for fault in self._faults:
                if fault.operation not in (operation, "*") or fault.times == 0:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                fault.taken += 1
                return fault
        return None


class Record:
    """Every byte of the wire, in files: one pair for each request and its answer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._count = 0

    def exchange(self) -> Exchange:
        """Begin the record of one request and its answer."""
        with self._lock:
            self._count += 1
            return Exchange(self._folder, self._count)

    def read(self) -> Iterator[tuple[str, bytes]]:
        """All records with their names: the bytes, then what Base64 payloads in them hold.

        A name is like ``000012.stdin.up`` (``up``: to the sandbox).
        """
        for name in self.names():
            data = (self._folder / name).read_bytes()
            yield name, data + decoded(data)

    def found(self, needle: bytes) -> list[str]:
        """The names of the records in which ``needle`` stands, as it is or in Base64 payloads."""
        return [name for name, data in self.read() if needle in data]

    def names(self) -> list[str]:
        """The names of all records, in order."""
        return sorted(path.name for path in self._folder.iterdir())

    def clear(self) -> None:
        """Forget what was recorded."""
        for path in self._folder.iterdir():
            path.unlink(missing_ok=True)


def decoded(data: bytes) -> bytes:
    """What all Base64 payloads in recorded bytes hold, one after the other (chunks of HTTP taken out)."""
    joined = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", data)
    found = []
    for match in re.finditer(rb'"(?:stdout|stderr|stdin|pty)":\s*"([A-Za-z0-9+/=]+)"', joined):
        with contextlib.suppress(ValueError):
            found.append(base64.b64decode(match[1]))
    return b"".join(found)


class Exchange:
    """The record of one request and its answer."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._number = number
        self._early = bytearray()
        self._files: dict[str, Any] = {}
        self._name = ""

    def named(self, operation: str) -> None:
        """What the request is about; known when its head has been read."""
        self._name = f"{self._number:06d}.{operation}"
        self.write("up", bytes(self._early))

    def write(self, direction: str, data: bytes) -> None:
        """Add bytes that went ``up`` to the sandbox or ``down`` to the client."""
        if not self._name:
            self._early += data
            return
        if direction not in self._files:
            self._files[direction] = (self._folder / f"{self._name}.{direction}").open("ab", buffering=0)
        self._files[direction].write(data)

    def close(self) -> None:
        """The exchange is over."""
        for file in self._files.values():
            file.close()


class _Incoming:
    """The connection's incoming bytes, recorded."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.exchange: Exchange | None = None

    def _seen(self, data: bytes) -> bytes:
        if self.exchange is not None and data:
            self.exchange.write("up", data)
        return data

    def readline(self, limit: int = -1) -> bytes:
        return self._seen(self._raw.readline(limit))

    def read(self, size: int) -> bytes:
        return self._seen(self._raw.read(size))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class Connection(BaseHTTPRequestHandler):
    """One connection of a client; ``answer`` of a subclass answers each request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    record: Record | None = None
    fault: Fault | None = None
    exchange: Exchange | None = None
    _sent = 0
    _counting = False

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is printed."""

    def setup(self) -> None:
        super().setup()
        self.rfile = _Incoming(self.rfile)  # type: ignore[assignment]

    def handle_one_request(self) -> None:
        """Answer one request, with its record."""
        self._sent, self._counting, self.fault, self._unread = 0, False, None, False
        self.exchange = self.record.exchange() if self.record is not None else None
        self.rfile.exchange = self.exchange  # type: ignore[attr-defined]
        try:
            super().handle_one_request()
        except (CutError, ConnectionError, ValueError, OSError):
            self.close_connection = True
        finally:
            if self.exchange is not None:
                self.exchange.close()

    def _answer(self) -> None:
        self._unread = True
        self.answer()
        if self._unread:
            for _ in self.pieces():
                pass

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _answer  # noqa: N815 - names that the base class asks for

    def answer(self) -> None:
        """Answer the request that has been read up to its head."""
        raise NotImplementedError

    # --- incoming

    def pieces(self) -> Iterator[bytes]:
        """The body of the request, piece by piece."""
        self._unread = False
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                yield from self._exactly(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        else:
            yield from self._exactly(int(self.headers.get("Content-Length") or 0))

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size > 0:
            data = self.rfile.read(min(size, _PIECE))
            if not data:
                raise CutError
            size -= len(data)
            yield data

    def body(self) -> bytes:
        """The whole body of the request."""
        return b"".join(self.pieces())

    # --- outgoing

    def put(self, data: bytes) -> None:
        """Write bytes of the answer; ends the connection where a fault says so."""
        limit = self.fault.cut_after if self.fault is not None and self._counting else None
        if limit is not None and self._sent + len(data) > limit:
            data = data[: max(0, limit - self._sent)]
            self._write(data)
            self.cut()
            raise CutError
        self._sent += len(data) if self._counting else 0
        self._write(data)

    def _write(self, data: bytes) -> None:
        if self.exchange is not None:
            self.exchange.write("down", data)
        try:
            self.connection.sendall(data)
        except OSError as error:
            raise CutError from error

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Send the head of the answer."""
        lines = [f"HTTP/1.1 {status} {self.responses.get(status, ('',))[0]}", "Server: double"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.put(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._counting = True

    def reply(self, status: int, body: Any = None, kind: str = "application/json", **headers: str) -> None:
        """Send a whole answer: nothing, bytes, or JSON data."""
        if self._unread:
            for _ in self.pieces():
                pass
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if self.fault is not None and self.fault.changed is not None:
            data = self.fault.changed(data)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        length = {} if status == 204 else {"Content-Length": str(len(data)), "Content-Type": kind}
        self.head(status, {**length, **told})
        self.put(data)

    def error(self, status: int, message: str, **headers: str) -> None:
        """An error as the control plane and the files of the daemon have it."""
        self.reply(status, {"code": status, "message": message}, **headers)

    def frame(self, message: dict[str, Any], flags: int = 0) -> None:
        """One message of a Connect stream, as one chunk."""
        data = json.dumps(message).encode()
        envelope = struct.pack(">BI", flags, len(data)) + data
        self.put(b"%x\r\n" % len(envelope) + envelope + b"\r\n")

    def cut(self) -> None:
        """End the connection without a word; may be called from any thread."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def client_gone(self) -> bool:
        """Whether the other side has closed the connection."""
        try:
            ready, _, _ = select.select([self.connection], [], [], 0)
            return bool(ready) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True
