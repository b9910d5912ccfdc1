"""Steps whose dash is missing: to YAML their keys belong to the step above, or to no list at all."""

from __future__ import annotations

import re
from itertools import pairwise

from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.findings import error
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping, Node

_DOES = frozenset({"component", "mode"})  # what shows that an id begins a step, and is not just there twice
_LINE = re.compile(r"^( *)[^ \n]", re.MULTILINE)
_FIRST = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*(?P<blanks> +)id[ \t]*:(?=[ \t\n])[^\n]*\n")
_SECOND = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*(?P<blanks> +)(?:component|mode)[ \t]*:(?=[ \t\n])")


def later_steps(node: Node) -> list[int]:
    """Where in the map of a step the keys of other steps begin: offsets of their ``id``, relative to the part.

    A second ``id`` begins a step when what says what a step does is there a second time as well.
    """
    if not isinstance(node, Mapping) or node.flow:
        return []
    entries = [entry for entry in node.entries if not entry.synthetic]
    starts = [n for n, entry in enumerate(entries) if entry.key.text == "id" and entry.has_colon]
    if len(starts) < 2:
        return []
    bounds = [0, *starts[1:], len(entries)]
    does = [{entry.key.text for entry in entries[a:b]} & _DOES for a, b in pairwise(bounds)]
    if not all(one & other for one, other in pairwise(does)):
        return []
    return [entries[n].key.span.start for n in starts[1:]]


def first_step(lines: str, start: int, stop: int) -> tuple[int, int] | None:
    """Where the first step below ``steps:`` begins when it has no dash, and the indentation that its dash would have.

    ``lines`` is the document with ``\\n`` at the end of each line; ``start`` is behind the line ``steps:``.
    """
    first = _FIRST.match(lines, start, stop)
    second = _SECOND.match(lines, first.end(), stop) if first else None
    if first is None or second is None:
        return None
    width = max(len(second["blanks"]) - 2, 0)
    return (first.start("blanks"), width) if len(first["blanks"]) <= len(second["blanks"]) else None


def missing_dash(lines: str, start: int, end: int, node: Node, indent: int) -> Diagnostic | None:
    """The finding for a step without a dash in ``lines[start:end]``; dashes stand in column ``indent`` (from 0)."""
    if not isinstance(node, Mapping) or not node.entries:
        return None
    columns = [_column(lines, start + entry.key.span.start) for entry in node.entries if not entry.synthetic]
    first = node.entries[0].key.span.shift(start)
    keys = min(columns[1:], default=columns[0])
    begin = lines.rfind("\n", 0, first.start) + 1
    gap = keys - indent - 1
    edits = [TextEdit(Span(begin, first.start), " " * indent + "-" + " " * max(gap, 1))]
    if gap < 1:  # the other keys stand too far to the left for the list
        edits += [
            TextEdit(Span(line.start(), line.start()), " " * (1 - gap))
            for line in _LINE.finditer(lines, lines.find("\n", first.start, end) + 1 or end, end)
        ]
    message = "A dash is missing in front of this step. Without it its keys belong to the step above, or to no list."
    return error("OML015", first, message, Fix("Add the dash", tuple(edits), preferred=True))


def _column(lines: str, offset: int) -> int:
    return offset - lines.rfind("\n", 0, offset) - 1
