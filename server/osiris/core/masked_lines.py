"""A text stream that others print to: what they print is kept line by line, masked, whatever pieces it comes in."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from pathlib import Path

from osiris.core.files import BINARY, PRIVATE_FILE, write_all
from osiris.core.secrets_masking import Masker

LONGEST_LINE = 1_000_000
"""Characters after which a line that does not end is written without its end."""


class MaskedLines(io.TextIOBase):
    """Takes the place of ``sys.stdout`` in a process whose output is a file of ours, made when something is printed.

    A secret may come in pieces: nothing of a line is written before it is whole. ``flush`` therefore writes nothing,
    ``finish`` writes the rest. A line of endless length is written in parts, none of which ends inside a known secret.
    """

    def __init__(self, path: Path, masker: Masker) -> None:
        super().__init__()
        self._path = path
        self._masker = masker
        self._pieces: list[str] = []
        self._length = 0
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Take ``text``; what is whole now goes to the file, and nowhere when that cannot be written."""
        with self._lock:
            self._pieces.append(text)
            self._length += len(text)
            if "\n" in text:
                whole, _, rest = "".join(self._pieces).rpartition("\n")
                self._keep(rest)
                self._put("".join(f"{self._masker.text(line)}\n" for line in whole.split("\n")))
            if self._length > LONGEST_LINE:
                line = "".join(self._pieces)
                end = self._masker.cut_before(line, LONGEST_LINE)
                self._keep(line[end:])
                self._put(self._masker.text(line[:end]))
        return len(text)

    def _keep(self, rest: str) -> None:
        self._pieces = [rest] if rest else []
        self._length = len(rest)

    def _put(self, text: str) -> None:
        with contextlib.suppress(OSError):
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | BINARY, PRIVATE_FILE)
            try:
                write_all(file, text.encode("utf-8", "backslashreplace"))
            finally:
                os.close(file)

    def flush(self) -> None:
        """Nothing: a line that has not ended may end inside a secret."""

    def finish(self) -> None:
        """Write what is left of a line that did not end."""
        with self._lock:
            if self._pieces:
                line = "".join(self._pieces)
                self._keep("")
                self._put(f"{self._masker.text(line)}\n")

    def writable(self) -> bool:
        """Always."""
        return True
