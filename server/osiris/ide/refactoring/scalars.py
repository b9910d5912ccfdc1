"""Writing one value in another way: in quotes, or SQL as a block of lines. What it is worth stays the same."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.ide.refactoring.catalogue import REWRITE, Asked, Refactoring
from osiris.ide.tree_place import TreePlace, is_marked, tree_place
from osiris.language.edits import line_end, line_start, newline_of, quoted, scalar_text
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar, Style

_LONG = 60  # code points from which SQL on one line is easier to read, and to go on with, in lines of its own
_INDENT = 2


def rewrite(asked: Asked) -> Iterator[Refactoring]:
    """Quotes around the plain text under the cursor, and a block for the SQL under it."""
    place = tree_place(asked.analysis, asked.span.start)
    if place is None or place.scalar is None or is_marked(place.part.text, place.scalar):
        return
    scalar = place.scalar
    inside = scalar.span.shift(place.base)
    meant_otherwise = any(d.code == "OML208" and d.span == inside for d in asked.analysis.diagnostics)
    if _is_doubtful(scalar) and not meant_otherwise and "\n" not in _source(place, scalar):
        edit = TextEdit(scalar.span.shift(place.base), quoted(scalar.text))
        yield Refactoring(REWRITE, "Write it in quotes", lambda: (edit,))
    if _is_sql(asked, place) and (block := _as_block(place, scalar)):
        yield Refactoring(REWRITE, "Write the SQL as a block of lines", lambda: (block,))


def _is_doubtful(scalar: Scalar) -> bool:
    """Whether a reader, or a program that reads YAML in another way, may take the text for something else."""
    return scalar.style is Style.PLAIN and isinstance(scalar.value, str) and scalar_text(scalar.text) != scalar.text


def _source(place: TreePlace, scalar: Scalar) -> str:
    return place.part.text[scalar.span.start : scalar.span.end]


def _is_sql(asked: Asked, place: TreePlace) -> bool:
    spec = asked.analysis.specs[place.step.index] if place.step is not None else None
    return spec is not None and len(place.path) == 2 and place.path[0] == "config" and place.path[1] in spec.sql_keys


def _as_block(place: TreePlace, scalar: Scalar) -> TextEdit | None:
    """The text as a literal block below its key; None where a block could not say the same, or is no better."""
    text, source, entry = scalar.text, place.part.text, place.entry
    if place.flow or entry is None or scalar.style in (Style.LITERAL, Style.FOLDED) or not _fits_block(text):
        return None
    if len(text) < _LONG and "\n" not in text and "\n" not in _source(place, scalar):
        return None
    start = entry.key.span.start
    before = source[line_start(source, start) : start]
    behind = source[scalar.span.end : line_end(source, scalar.span.end)]
    if before.strip(" -") or (behind.strip() and not behind.lstrip(" ").startswith("#")):
        return None
    newline, indent = newline_of(source), " " * (len(before) + _INDENT)
    body = newline.join(indent + line if line else line for line in text.removesuffix("\n").split("\n"))
    chomping, comment = "" if text.endswith("\n") else "-", f" {behind.strip()}" if behind.strip() else ""
    end = scalar.span.end + len(behind)
    last = newline if text.endswith("\n") and end == len(source) else ""  # the value ends with the line
    return TextEdit(Span(scalar.span.start, end).shift(place.base), f"|{chomping}{comment}{newline}{body}{last}")


def _fits_block(text: str) -> bool:
    """Whether a block can hold the text: its first line tells the indentation, and it knows no escapes."""
    plain = all(char.isprintable() or char == "\n" for char in text)
    lines = text.removesuffix("\n").split("\n")
    sound = all(not line or line.strip() for line in lines) and bool(lines[0] and lines[-1])
    return plain and sound and not text.startswith(" ")
