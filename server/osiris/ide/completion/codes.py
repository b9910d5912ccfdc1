"""Codes of findings inside a comment that suppresses some: ``# osiris: ignore[``."""

from __future__ import annotations

import re

from osiris.ide.completion.suggestion import Completions, Item, ItemKind, Topic
from osiris.ide.cursor import Cursor, Role
from osiris.language.analysis import Analysis
from osiris.language.suppression import covered_lines
from osiris.syntax.codes import CODES
from osiris.syntax.text import Span

_OPEN = re.compile(r"(?:#|--)[ \t]*osiris:[ \t]*ignore[ \t]*\[(?P<codes>[A-Za-z0-9, \t]*)\Z")
_REST = re.compile(r"[A-Za-z0-9]*(?P<more>[A-Za-z0-9, \t]*)(?P<end>\]?)")


def codes(analysis: Analysis, cursor: Cursor) -> Completions | None:
    """The codes that are reported where the comment at the cursor holds; None when there is no such comment."""
    if cursor.role not in (Role.NOTHING, Role.TEXT):
        return None
    document, offset = analysis.document, cursor.offset
    line = document.lines.line_of(offset)
    source = document.lines.line_span(line, document.text)
    opened = _OPEN.search(document.text, source.start, offset)
    if opened is None:
        return None
    rest = _REST.match(document.text, offset, source.end)
    assert rest is not None
    typed = re.search(r"[A-Za-z0-9]*\Z", opened["codes"])
    assert typed is not None
    listed = set(re.findall(r"[A-Z0-9]+", f"{opened['codes'][: typed.start()]} {rest['more']}".upper()))
    first, last = covered_lines(document, line, opened.start())
    found = {
        item.code: CODES[item.code].title
        for item in analysis.diagnostics
        if first <= document.lines.line_of(item.span.start) <= last
        and item.code not in listed
        and CODES[item.code].configurable
        and item.code not in ("OML190", "OML191")  # about comments such as this one
    }
    close = "" if rest["end"] else "]"
    items = tuple(
        Item(code, ItemKind.VALUE, code + close, None, title, topic=Topic(code=code)) for code, title in found.items()
    )
    span = Span(offset - len(typed[0]), rest.start("more"))
    return Completions(span, items) if items else None
