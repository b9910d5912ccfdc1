"""The rows of an unbuffered result, straight from the wire: several times faster than one packet object per row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymysql.connections import Connection

Row = list[bytes | None]

_PART = 0xFFFFFF  # a packet of this length goes on in the next one
_BATCH_BYTES = 16 * 1024 * 1024
_NULL, _TWO, _THREE = 0xFB, 0xFC, 0xFD
_END, _ERROR, _LONGEST_END = 0xFE, 0xFF, 9


def row_batches(connection: Connection[Any], width: int, size: int) -> Iterator[list[Row]]:
    """The rows of the result that comes in, each a list of ``width`` texts as bytes, in batches.

    A batch has ``size`` rows, or fewer when they are long. Raises pymysql.MySQLError when the server or the network
    ends it early.
    """
    from pymysql.err import raise_mysql_exception

    rows: list[Row] = []
    room = _BATCH_BYTES
    read = connection._read_bytes
    while True:
        header = read(4)
        length = header[0] | header[1] << 8 | header[2] << 16
        data = read(length)
        while length == _PART:
            header = read(4)
            length = header[0] | header[1] << 8 | header[2] << 16
            data += read(length)
        first = data[0] if data else 0
        if first == _END and len(data) < _LONGEST_END:
            break
        if first == _ERROR:
            raise_mysql_exception(data)
        rows.append(_cells(data, width))
        room -= len(data)
        if len(rows) == size or room <= 0:
            yield rows
            rows, room = [], _BATCH_BYTES
    if rows:
        yield rows


def _cells(data: bytes, width: int) -> Row:
    cells: Row = []
    at = 0
    for _ in range(width):
        length = data[at]
        at += 1
        if length > 250:
            if length == _NULL:
                cells.append(None)
                continue
            more = 2 if length == _TWO else 3 if length == _THREE else 8
            length = int.from_bytes(data[at : at + more], "little")
            at += more
        cells.append(data[at : at + length])
        at += length
    return cells
