"""PNG files with at most 256 colours: a third of the size of a screenshot, and hardly another picture."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {2: 3, 6: 4}  # RGB and RGBA, with their bytes per pixel
_MOST = 256
_BITS = 0xF8  # shades closer than this are one, as those at the edges of letters


def make_small(path: Path) -> None:
    """Write a screenshot anew with a palette. ValueError for a file that is no PNG as browsers write them."""
    chunks = dict(_chunks(path.read_bytes()))  # pixels are the last and joined; of the others only the head matters
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if depth != 8 or kind not in _COLOUR_TYPES or interlaced:
        raise ValueError(f"{path} is no plain PNG in true colour.")
    size = _COLOUR_TYPES[kind]
    rows = list(_unfiltered(zlib.decompress(chunks[b"IDAT"]), width * size, height, size))
    pixels = [tuple(row[at : at + 3]) for row in rows for at in range(0, len(row), size)]
    palette, index = _palette(Counter(pixels))
    body = bytes(index[pixel] for pixel in pixels)
    lines = b"".join(b"\0" + body[at : at + width] for at in range(0, len(body), width))
    with path.open("wb") as file:
        file.write(_SIGNATURE)
        file.write(_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)))
        file.write(_chunk(b"PLTE", bytes(shade for colour in palette for shade in colour)))
        file.write(_chunk(b"IDAT", zlib.compress(lines, 9)))
        file.write(_chunk(b"IEND", b""))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not data.startswith(_SIGNATURE):
        raise ValueError("This is no PNG.")
    at, pixels = len(_SIGNATURE), b""
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if name == b"IDAT":
            pixels += content
        else:
            yield name, content
        at += length + 12
    yield b"IDAT", pixels


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _unfiltered(data: bytes, length: int, height: int, size: int) -> Iterator[bytearray]:
    """The rows of pixels. Each row says how its bytes were taken from the one to the left and the row above."""
    above = bytearray(length)
    for number in range(height):
        start = number * (length + 1)
        how, row = data[start], bytearray(data[start + 1 : start + 1 + length])
        for at in range(length):
            left = row[at - size] if at >= size else 0
            up = above[at]
            corner = above[at - size] if at >= size else 0
            row[at] = (row[at] + (0, left, up, (left + up) // 2, _paeth(left, up, corner))[how]) & 0xFF
        yield row
        above = row


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def _palette(
    counted: Counter[tuple[int, ...]],
) -> tuple[list[tuple[int, ...]], dict[tuple[int, ...], int]]:
    """The commonest colours, and for every colour the number of the one that stands for it."""
    groups: dict[tuple[int, ...], tuple[int, ...]] = {}
    weights: Counter[tuple[int, ...]] = Counter()
    for colour, count in counted.most_common():
        chosen = groups.setdefault(tuple(shade & _BITS for shade in colour), colour)
        weights[chosen] += count
    palette = [colour for colour, _ in weights.most_common(_MOST)]
    nearest: dict[tuple[int, ...], int] = {colour: number for number, colour in enumerate(palette)}
    for colour in counted:
        chosen = groups[tuple(shade & _BITS for shade in colour)]
        if chosen not in nearest:
            nearest[chosen] = min(range(len(palette)), key=lambda number: _distance(palette[number], chosen))
        nearest.setdefault(colour, nearest[chosen])
    return palette, nearest


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
