"""The text of a `.env` file, with the place of everything it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from osiris.syntax.text import Span

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPORT = re.compile(r"export[ \t]+")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_COMMENT = re.compile(r"(?:^|[ \t])#")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


@dataclass(frozen=True, slots=True)
class DotenvEntry:
    """``NAME=value``. ``span`` goes from the name to the end of the entry; the value is never shown to anybody."""

    name: str
    name_span: Span
    span: Span
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DotenvProblem:
    """A line that says nothing usable."""

    span: Span
    message: str


def read_dotenv(text: str) -> Iterator[DotenvEntry | DotenvProblem]:
    """The entries of a `.env` file and its unusable lines, in order. Total: any text will do.

    ``NAME=value``, optionally behind ``export``. A ``#`` at the start of a line or behind a space begins a comment.
    Single quotes keep everything as it is; double quotes know ``\\n \\r \\t \\" \\\\ \\$``; both may span lines.
    Nothing is executed and no ``$`` is expanded.
    """
    at = 0
    while at < len(text):
        line = _LINE.match(text, at)
        assert line is not None
        found = _entry(text, at, line.end(1))
        if found is not None:
            yield found
        if isinstance(found, DotenvEntry) and found.span.end > line.end(1):
            line = _LINE.match(text, found.span.end)
            assert line is not None
        at = line.end()


def _entry(text: str, start: int, end: int) -> DotenvEntry | DotenvProblem | None:
    while start < end and text[start] in " \t":
        start += 1
    if start >= end or text[start] == "#":
        return None
    if export := _EXPORT.match(text, start, end):
        start = export.end()
    line = Span(start, end)
    name = _NAME.match(text, start, end)
    equals = text.find("=", start, end)
    if equals < 0:
        return DotenvProblem(line, "There is no = in this line; write NAME=value.")
    if name is None or text[name.end() : equals].strip(" \t"):
        wanted = "the name of a variable (letters, digits and _ only)"
        return DotenvProblem(Span(start, equals), f"What stands before the = is not {wanted}.")
    value_start = equals + 1
    while value_start < end and text[value_start] in " \t":
        value_start += 1
    name_span = Span(*name.span())
    if value_start < end and text[value_start] in "\"'":
        return _quoted(text, name_span, value_start)
    comment = _COMMENT.search(text[value_start:end])
    stop = value_start + comment.start() if comment else end
    value = text[value_start:stop].strip(" \t")
    return DotenvEntry(name.group(), name_span, Span(start, max(equals + 1, value_start + len(value))), value)


def _quoted(text: str, name: Span, start: int) -> DotenvEntry | DotenvProblem:
    quote, called = text[start], text[name.start : name.end]
    at = start + 1
    while at < len(text) and text[at] != quote:
        at += 2 if quote == '"' and text[at] == "\\" else 1
    line = _LINE.match(text, min(at, len(text)))
    assert line is not None
    if at >= len(text):
        kind = "double" if quote == '"' else "single"
        first = _LINE.match(text, start)
        assert first is not None
        return DotenvProblem(Span(name.start, first.end(1)), f"The {kind} quote of {called} is never closed.")
    rest = text[at + 1 : line.end(1)].strip(" \t")
    if rest and not rest.startswith("#"):
        return DotenvProblem(Span(name.start, line.end(1)), f"There is text behind the closing quote of {called}.")
    value = text[start + 1 : at].replace("\r\n", "\n").replace("\r", "\n")
    if quote == '"':
        value = _ESCAPE.sub(lambda match: _ESCAPES.get(match.group(1), match.group()), value)
    return DotenvEntry(called, name, Span(name.start, at + 1), value)
