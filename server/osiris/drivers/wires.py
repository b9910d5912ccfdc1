"""Waking whoever waits for a network connection, from another thread."""

from __future__ import annotations

import contextlib
import socket
from typing import Protocol


class Wire(Protocol):
    """A socket, or what has one."""

    def fileno(self) -> int:
        """Its number in this process."""


def shut(wire: Wire) -> None:
    """Wake whoever reads or writes there: for them the other side is gone. It stays its owner's to close."""
    with contextlib.suppress(OSError, ValueError):  # it may have been closed meanwhile
        line = socket.socket(fileno=wire.fileno())
        try:
            line.shutdown(socket.SHUT_RDWR)
        finally:
            line.detach()
