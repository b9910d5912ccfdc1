"""Secrets that nothing masks by its look, and the search for what is left of them, in whatever form."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import re
import zlib
from collections.abc import Iterable
from pathlib import Path

STEM = "GreyHeron"
"""Letters look the same in addresses, JSON, SQL and HTML: where these are, a canary is, or a part of one."""


class Canaries:
    """Secrets of no known format and low entropy, each with a number of its own: whoever masks them must know them.

    They hold what looks different in an address (`%`, `+`, `/`, space), in SQL (`'`) and in HTML (`&`).
    """

    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def at(self, place: str) -> str:
        """The canary of a place, always the same one."""
        number = len(self.places)
        begin, end = (_letters(f"{side}{number}") for side in "ab")  # what two of them share is not the half of one
        return self.places.setdefault(place, f"{begin} {STEM}{number:03d}+%'/&{end}")

    def found_in(self, data: bytes) -> list[str]:
        """The places whose canaries are in ``data``, or parts of them; ``?`` where that cannot be told."""
        numbers = {int(number) if number else -1 for number in _PLAIN.findall(data)}
        if _ENCODED.search(data):
            numbers.add(-1)
        names = list(self.places)
        return sorted(names[number] if 0 <= number < len(names) else "?" for number in numbers)

    def left_below(self, folder: Path, planted: Iterable[str] = ()) -> dict[str, list[str]]:
        """The canaries in the files below ``folder`` and in their names; ``planted`` files may hold them."""
        leaks: dict[str, list[str]] = {}
        for path in folder.rglob("*"):
            name = path.relative_to(folder).as_posix()
            found = self.found_in(name.encode())
            if path.is_file() and not path.is_symlink() and name not in planted:
                for data in contents(path):
                    found += self.found_in(data)
            if found:
                leaks[name] = found
        return leaks


def _letters(seed: str) -> str:
    """Eight letters that are no word."""
    return "".join("abcdefghijklmnop"[byte % 16] for byte in hashlib.sha256(seed.encode()).digest()[:8])


def _inside_base64(text: str) -> Iterable[str]:
    """What base64 makes of ``text`` at each place it can have in what is encoded."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + text.encode()).decode().rstrip("=")
        whole = coded[-(-before * 8 // 6) : (before + len(text)) * 8 // 6]
        yield from {whole, whole.replace("+", "-").replace("/", "_")}


_PLAIN = re.compile(STEM.encode() + rb"(\d{3})?", re.IGNORECASE)
_ENCODED = re.compile(
    "|".join(
        [
            *map(re.escape, _inside_base64(STEM)),
            STEM.encode().hex(),
            STEM.encode().hex().upper(),
            re.escape("".join(f"\\x{byte:02x}" for byte in STEM.encode())),
            "".join(f"%{byte:02X}" for byte in STEM.encode()),
            STEM[::-1],
        ]
    ).encode()
)


def contents(path: Path) -> Iterable[bytes]:
    """The bytes of a file, and what they are before compression where they are gzip or a table in columns."""
    data = path.read_bytes()
    yield data
    if data.startswith(b"\x1f\x8b"):
        yield gzip.decompress(data)
    elif data.startswith((b"\x78\x01", b"\x78\x9c", b"\x78\xda")):
        yield zlib.decompress(data)
    elif data.startswith(b"ARROW1"):
        import pyarrow.ipc

        from osiris.execution.summed_files import content

        with pyarrow.ipc.open_file(content(path)) as reader:
            yield str(reader.read_all().to_pydict()).encode()
    elif data.startswith(b"PAR1"):
        import pyarrow.parquet

        yield str(pyarrow.parquet.read_table(path).to_pydict()).encode()
    elif data.startswith(b"SQLite format 3\0"):
        yield _tables_of_sqlite(path)
    elif data[8:12] == b"DUCK":
        yield _tables_of_duckdb(path)


def _tables_of_sqlite(path: Path) -> bytes:
    import sqlite3

    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = itertools.chain.from_iterable(connection.execute(f'SELECT * FROM "{name}"') for name in names)
        return str(list(rows)).encode()
    finally:
        connection.close()


def _tables_of_duckdb(path: Path) -> bytes:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        names = [row[0] for row in connection.execute("SHOW TABLES").fetchall()]
        return str([connection.execute(f'FROM "{name}"').fetchall() for name in names]).encode()
