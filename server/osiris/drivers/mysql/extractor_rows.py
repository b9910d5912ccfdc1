"""The cells of an unbuffered result, straight from the wire: several times faster than one packet object per row."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymysql.connections import Connection

Cells = list[bytes | None]
"""Row after row in one list."""

_PART = 0xFFFFFF  # a packet of this length goes on in the next one
_READ_BYTES = 64 * 1024
_BATCH_BYTES = 4 * 1024 * 1024
_NULL, _TWO, _THREE = 0xFB, 0xFC, 0xFD
_END, _ERROR, _LONGEST_END = 0xFE, 0xFF, 9


def cell_batches(connection: Connection[Any], width: int, size: int) -> Generator[Cells, None, None]:
    """The rows of ``width`` cells of the result that comes in, each cell a text as bytes, in batches.

    A batch has about ``size`` rows, or fewer when they are long. Raises pymysql.MySQLError when the server or the
    network ends it early.
    """
    incoming = _Incoming(connection)
    cells: Cells = []
    came = 0
    while True:
        data = incoming.data
        at = _add_lines(data, cells) if width == 1 else _add_rows(data, width, cells)
        if _ends(data, at):
            _raise_error(data[at + 4 :])
            break
        came += at
        if _long(data, at):
            row = incoming.joined(at)
            _add_row(row, 0, width, cells)
            came += len(row)
        else:
            incoming.more(at)
        if len(cells) >= size * width or came >= _BATCH_BYTES:
            yield cells
            cells, came = [], 0
    if cells:
        yield cells


def _add_lines(data: bytes, cells: Cells) -> int:
    """Take rows of one cell out of ``data``; returns how far that went."""
    at, end = 0, len(data)
    add = cells.append
    while end - at > 4:
        first = data[at + 4]
        # Mostly the length of the cell tells that of the packet, which takes longer to read.
        if first < _NULL:
            begin = at + 5
            stop = begin + first
        elif first == _TWO and end - at > 6:
            begin = at + 7
            stop = begin + (data[at + 5] | data[at + 6] << 8)
        else:
            length = int.from_bytes(data[at : at + 3], "little")
            stop = at + 4 + length
            if stop > end or length == _PART or _ends(data, at):
                break
            if first == _NULL:
                add(None)
                at = stop
                continue
            begin = at + (8 if first == _THREE else 13)
        if stop > end:
            break
        add(data[begin:stop])
        at = stop
    return at


def _add_rows(data: bytes, width: int, cells: Cells) -> int:
    """Take whole rows out of ``data``; returns how far that went."""
    at, end = 0, len(data)
    while end - at > 4:
        length = data[at] | data[at + 1] << 8 | data[at + 2] << 16
        stop = at + 4 + length
        if stop > end or length == _PART or (data[at + 4] >= _END and _ends(data, at)):
            break
        _add_row(data, at + 4, width, cells)
        at = stop
    return at


def _add_row(data: bytes, at: int, width: int, cells: Cells) -> None:
    add = cells.append
    for _ in range(width):
        length = data[at]
        at += 1
        if length >= _NULL:
            if length == _NULL:
                add(None)
                continue
            more = 2 if length == _TWO else 3 if length == _THREE else 8
            length = int.from_bytes(data[at : at + more], "little")
            at += more
        add(data[at : at + length])
        at += length


def _ends(data: bytes, at: int) -> bool:
    """Whether the packet at ``at`` is there as a whole, and says that no row comes any more."""
    length = int.from_bytes(data[at : at + 3], "little")
    if not 0 < length <= len(data) - at - 4:
        return False
    return data[at + 4] == _ERROR or (data[at + 4] == _END and length < _LONGEST_END)


def _long(data: bytes, at: int) -> bool:
    return int.from_bytes(data[at : at + 3], "little") == _PART and len(data) - at >= 4


def _raise_error(packet: bytes) -> None:
    from pymysql.err import raise_mysql_exception

    if packet[0] == _ERROR:
        raise_mysql_exception(packet)


class _Incoming:
    """What comes from the server, read in large pieces; ``data`` is what was not taken yet."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self.data = b""

    def more(self, taken: int) -> None:
        """Forget the first bytes and wait for more: at least the rest of a long packet, else whatever comes."""
        rest = self.data[taken:]
        length = int.from_bytes(rest[:3], "little") if len(rest) >= 4 else 0
        missing = 4 + length - len(rest)
        self.data = rest + self._read(missing if missing > _READ_BYTES else 0)

    def joined(self, taken: int) -> bytes:
        """Forget the first bytes; the packet behind them, which comes in parts."""
        parts = []
        rest = self.data[taken:]
        length = _PART
        while length == _PART:
            if len(rest) < 4:
                rest += self._read(4 - len(rest))
            length = int.from_bytes(rest[:3], "little")
            if len(rest) < 4 + length:
                rest += self._read(4 + length - len(rest))
            parts.append(rest[4 : 4 + length])
            rest = rest[4 + length :]
        self.data = rest
        return b"".join(parts)

    def _read(self, count: int) -> bytes:
        """The next ``count`` bytes, or with 0 whatever comes. As PyMySQL does it, but for how much is read at once."""
        from pymysql import OperationalError

        file: Any = self._connection._rfile
        try:
            came: bytes = file.read(count) if count else file.read1(_READ_BYTES)
        except OSError as error:
            raise OperationalError(_LOST, f"Lost connection to MySQL server during query ({error})") from error
        if not came or len(came) < count:
            raise OperationalError(_LOST, "Lost connection to MySQL server during query")
        return came


_LOST = 2013
