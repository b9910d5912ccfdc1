"""The cells of an unbuffered result, straight from the wire: several times faster than one packet object per row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymysql.connections import Connection

Cells = list[bytes | None]
"""Row after row in one list."""

_PART = 0xFFFFFF  # a packet of this length goes on in the next one
_READ_BYTES = 256 * 1024
_BATCH_BYTES = 16 * 1024 * 1024
_NULL, _TWO, _THREE = 0xFB, 0xFC, 0xFD
_END, _ERROR, _LONGEST_END = 0xFE, 0xFF, 9


def cell_batches(connection: Connection[Any], width: int, size: int) -> Iterator[Cells]:
    """The rows of ``width`` cells of the result that comes in, each cell a text as bytes, in batches.

    A batch has ``size`` rows, or fewer when they are long. Raises pymysql.MySQLError when the server or the network
    ends it early.
    """
    incoming = _Incoming(connection)
    row = range(width)
    cells: Cells = []
    full, room = size * width, _BATCH_BYTES
    for data, at, stop in incoming.packets():
        first = data[at]
        if first == _ERROR or (first == _END and stop - at < _LONGEST_END):
            _raise_error(data[at:stop])
            break
        # The heart of it: no call but the one that adds a cell.
        room -= stop - at
        add = cells.append
        for _ in row:
            length = data[at]
            at += 1
            if length > 250:
                if length == _NULL:
                    add(None)
                    continue
                more = 2 if length == _TWO else 3 if length == _THREE else 8
                length = int.from_bytes(data[at : at + more], "little")
                at += more
            add(data[at : at + length])
            at += length
        if len(cells) == full or room <= 0:
            yield cells
            cells, room = [], _BATCH_BYTES
    if cells:
        yield cells


def _raise_error(packet: bytes) -> None:
    from pymysql.err import raise_mysql_exception

    if packet[0] == _ERROR:
        raise_mysql_exception(packet)


class _Incoming:
    """What comes from the server, read in large pieces."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._data = b""

    def packets(self) -> Iterator[tuple[bytes, int, int]]:
        """Packet after packet, without end: some bytes, and where in them it begins and stops."""
        at = 0
        while True:
            data = self._data
            end = len(data)
            while end - at > 4:
                length = data[at] | data[at + 1] << 8 | data[at + 2] << 16
                stop = at + 4 + length
                if stop > end or length == _PART:
                    break
                yield data, at + 4, stop
                at = stop
            self._data = data[at:]
            at = 0
            if self._length() == _PART:
                whole = self._joined()
                yield whole, 0, len(whole)
            else:
                missing = 4 + self._length() - len(self._data)
                self._add(missing if missing > _READ_BYTES else 0)

    def _length(self) -> int:
        return int.from_bytes(self._data[:3], "little") if len(self._data) >= 4 else 0

    def _joined(self) -> bytes:
        """A packet that comes in parts."""
        parts = []
        while True:
            if len(self._data) < 4:
                self._add(4 - len(self._data))
            stop = 4 + self._length()
            if len(self._data) < stop:
                self._add(stop - len(self._data))
            parts.append(self._data[4:stop])
            self._data = self._data[stop:]
            if stop < 4 + _PART:
                return b"".join(parts)

    def _add(self, count: int) -> None:
        """Wait for ``count`` bytes more, or with 0 for whatever comes."""
        import pymysql

        # As PyMySQL does it, but for how much it reads at once.
        file: Any = self._connection._rfile
        read: Callable[[int], bytes] = file.read if count else file.read1
        try:
            came = read(count or _READ_BYTES)
        except OSError as error:
            raise pymysql.OperationalError(_LOST, f"Lost connection to MySQL server during query ({error})") from error
        if not came or len(came) < count:
            raise pymysql.OperationalError(_LOST, "Lost connection to MySQL server during query")
        self._data += came


_LOST = 2013
