"""A screenshot with a palette shows what it showed."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from small_png import make_small


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(rows: list[bytes], width: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_pixels_keep_their_colours_however_their_rows_were_written(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    red, blue = b"\xff\x00\x00", b"\x00\x00\xff"
    plain = b"\0" + red + blue
    as_above = b"\2" + bytes(6)  # each byte is that of the row above, plus nothing
    picture.write_bytes(png([plain, as_above], width=2))

    make_small(picture)

    data = picture.read_bytes()
    palette = data[data.index(b"PLTE") + 4 :][:6]
    start = data.index(b"IDAT")
    lines = zlib.decompress(data[start + 4 : start + 4 + int.from_bytes(data[start - 4 : start], "big")])
    colours = [palette[3 * number : 3 * number + 3] for number in (lines[1], lines[2], lines[4], lines[5])]
    assert colours == [red, blue, red, blue]


def test_what_is_no_png_is_refused(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(b"GIF89a")

    with pytest.raises(ValueError, match="no PNG"):
        make_small(picture)
