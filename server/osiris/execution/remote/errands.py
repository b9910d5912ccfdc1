"""Small things that are done on the other machine: ``python -m osiris.execution.remote.errands NAME ARGUMENTS``.

Nothing of Osiris is imported that is slow to load, since each is a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

_POLL_SECONDS = 0.05
_BLOCK = 2**20


def follow(path: str, offset: str, pid: str) -> None:
    """Write what stands in a file from an offset on, and what is added, until the process ``pid`` is gone."""
    position, out = int(offset), sys.stdout.buffer
    descriptor = os.open(path, os.O_RDONLY)
    while True:
        alive = _alive(int(pid))  # asked first: what it wrote last is there to be read
        while data := os.pread(descriptor, 65_536, position):
            position += len(data)
            out.write(data)
        out.flush()
        if not alive:
            return
        time.sleep(_POLL_SECONDS)


def cut(path: str, offset: str, length: str, place: str) -> None:
    """Copy a part of a file to a place of its own, and print its SHA-256 and its size."""
    digest, left = hashlib.sha256(), int(length)
    with open(path, "rb") as source, open(place, "wb") as target:
        source.seek(int(offset))
        while left and (block := source.read(min(_BLOCK, left))):
            digest.update(block)
            target.write(block)
            left -= len(block)
    print(json.dumps({"sha256": digest.hexdigest(), "size": int(length) - left}))  # noqa: T201 - what is asked for


def unpack(parcel: str, folder: str) -> None:
    """Lay the files of a parcel into a folder, and remove it."""
    with tarfile.open(parcel) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, filter="data")
        else:  # before Python 3.11.4; the parcel is one of ours
            archive.extractall(folder)
    Path(parcel).unlink()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    try:  # a process that nobody has waited for is over, too
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


_ERRANDS: dict[str, Callable[..., None]] = {"follow": follow, "cut": cut, "unpack": unpack}

if __name__ == "__main__":
    _ERRANDS[sys.argv[1]](*sys.argv[2:])
