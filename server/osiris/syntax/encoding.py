"""Bytes of a file to text."""

from __future__ import annotations

from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.findings import error
from osiris.syntax.text import Span


def decode(data: bytes) -> tuple[str, Diagnostic | None]:
    """The text of a file: UTF-8 with or without BOM, or UTF-16 with BOM; the BOM is left out.

    Never raises. When the bytes are no text, what can be read of them comes with a diagnostic OML014.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        codec, name, start = ("utf-16-le" if data[0] == 0xFF else "utf-16-be"), "UTF-16", 2
    else:
        codec, name, start = "utf-8", "UTF-8", 3 if data.startswith(b"\xef\xbb\xbf") else 0
    try:
        text = data[start:].decode(codec)
    except UnicodeDecodeError as problem:
        at = problem.start + start
        readable = len(data[start : problem.start + start].decode(codec, "replace"))
        text = data[start:].decode(codec, "replace")
        return text, _not_text(f"byte {at} (0x{data[at]:02x}) is not valid {name}", readable)
    if "\0" in text:
        at = text.index("\0")
        where = len(text[:at].encode(codec)) + start
        return text, _not_text(f"byte {where} is a NUL, which only binary files hold", at)
    return text, None


def _not_text(why: str, at: int) -> Diagnostic:
    return error(
        "OML014",
        Span(at, at + 1),
        f"This file is not text: {why}. OML files are UTF-8 text: choose another file, or save this one as UTF-8.",
    )
