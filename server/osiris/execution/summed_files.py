"""Files that end with a checksum of all that stands before it: a damaged one is noticed before its rows are used."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

_END = struct.Struct("<8sI")  # a mark, the CRC-32
_MARK = b"OSIRISCK"
_READ_BYTES = 1 << 20


class SummedWriter(io.BufferedWriter):
    """A new file, readable by its owner alone, that knows the checksum of what is written. ``finish`` ends it."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        super().__init__(io.FileIO(descriptor, "wb"))
        self._sum = 0

    def write(self, data: Any, /) -> int:
        """Write ``data``, anything that has bytes."""
        self._sum = zlib.crc32(data, self._sum)
        return super().write(data)

    def finish(self) -> None:
        """Add the checksum and close the file. Raises OSError."""
        super().write(_END.pack(_MARK, self._sum))
        self.close()


def is_sound(path: Path) -> bool:
    """Whether a file is there, and as it was written: a full disk, or a machine that stopped, may have cut it."""
    found = 0
    try:
        with path.open("rb") as file:
            left = file.seek(0, os.SEEK_END) - _END.size
            file.seek(0)
            while left > 0 and (data := file.read(min(left, _READ_BYTES))):
                found = zlib.crc32(data, found)
                left -= len(data)
            return left == 0 and file.read() == _END.pack(_MARK, found)
    except OSError:
        return False


def content(path: Path) -> Any:
    """What a file holds, without its checksum, as an Arrow buffer that is read as far as needed. Raises OSError."""
    import pyarrow as pa

    whole = pa.memory_map(str(path), "r").read_buffer()
    return whole.slice(0, max(whole.size - _END.size, 0))
