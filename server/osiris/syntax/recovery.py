"""Reads a part that is not valid YAML, line by line, and keeps everything that makes sense."""

from __future__ import annotations

import re

from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.scalars import resolve_plain
from osiris.syntax.strict import Trouble
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Style

_LINE = re.compile(r"[ \t]*(?:- +)*([A-Za-z_][\w.-]*)[ \t]*(:?)[ \t]*([^\r\n]*)")


def recover(source: str, trouble: Trouble) -> tuple[Node, list[Diagnostic]]:
    """The mapping of the part's keys and the findings in it."""
    entries: list[Entry] = []
    for line in re.finditer(r"[^\r\n]+", source):
        found = _LINE.match(source, line.start(), line.end())
        if not found:
            continue
        key = Span(*found.span(1))
        value = Span(*found.span(3))
        text = found.group(3).strip()
        scalar = Scalar(
            Span(value.start, value.start + len(text)),
            Span(value.start, value.start + len(text)),
            text,
            resolve_plain(text),
            Style.PLAIN,
        )
        name = Scalar(key, key, found.group(1), found.group(1), Style.PLAIN)
        entries.append(Entry(name, scalar, Span(key.start, max(key.end, scalar.span.end)), bool(found.group(2))))
    at = min(trouble.offset, len(source))
    start = entries[0].span.start if entries else at
    end = entries[-1].span.end if entries else at
    message = f"This is not valid YAML: {trouble.problem}."
    return Mapping(Span(start, end), tuple(entries)), [
        Diagnostic("OML001", Span(at, min(at + 1, len(source))), message, Severity.ERROR)
    ]
