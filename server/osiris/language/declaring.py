"""Declaring a parameter: a free name, and the edit that adds it to ``params``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from osiris.language.edits import insert_key, line_end, line_end_before, line_start, newline_of, node_end, remove_entry
from osiris.language.model import Pipeline
from osiris.language.naming import variable_name
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping, Scalar

_LINE_END = re.compile(r"\r\n|\r|\n")
_NOT_IN_NAME = re.compile(r"[^a-z0-9_]+")


def free_param_name(pipeline: Pipeline, words: Iterable[str]) -> str:
    """A name for a new parameter: the first of ``words`` that is free, else the last with a number behind it.

    Free is what shares neither the name nor the variable ``OSIRIS_PARAM_X`` with a declared parameter.
    """
    taken = {variable_name(name) for name in pipeline.params}
    name = "value"
    for word in words:
        name = _NOT_IN_NAME.sub("_", word.lower()).strip("_") or "value"
        name = name if name[0].isalpha() else f"p_{name}"
        if variable_name(name) not in taken:
            return name
    number = 2
    while variable_name(f"{name}_{number}") in taken:
        number += 1
    return f"{name}_{number}"


def declare_param(text: str, pipeline: Pipeline, name: str, value: str) -> TextEdit | None:
    """Add ``name: value`` to ``params``; the section comes above ``steps`` where there is none.

    None where that cannot be done: the section is broken or no map, or the document is written in braces.
    """
    item = pipeline.entry("params")
    if item is None:
        return _new_section(text, pipeline, f"  {name}: {value}")
    node = item.entry.value
    if not item.part.intact or not item.entry.has_colon:
        return None
    if isinstance(node, Mapping):
        edit = insert_key(item.part.text, node, name, value)
        return TextEdit(edit.span.shift(item.base), edit.new_text) if edit else None
    if isinstance(node, Scalar) and node.value is None and node.span.end == node.span.start:
        start = item.key.start
        indent = text[line_start(text, start) : start]
        at = text.index(":", item.key.end) + 1
        return TextEdit(Span(at, at), f"{newline_of(text)}{indent}  {name}: {value}") if not indent.strip() else None
    return None


def undeclare_param(text: str, pipeline: Pipeline, name: str) -> TextEdit | None:
    """Take the declaration of a parameter away, and the whole section with the last one; None where that cannot be."""
    item = pipeline.entry("params")
    declared = item.entry.value if item else None
    entry = declared.entry(name) if isinstance(declared, Mapping) else None
    if item is None or not isinstance(declared, Mapping) or entry is None or entry.synthetic:
        return None
    if len(declared.entries) > 1:
        edit = remove_entry(item.part.text, declared, entry)
        return TextEdit(edit.span.shift(item.base), edit.new_text) if edit else None
    start = line_start(text, item.key.start)
    if text[start : item.key.start].strip() or (isinstance(item.part.node, Mapping) and item.part.node.flow):
        return None
    last = max(entry.key.span.end, node_end(item.part.text, entry.value), node_end(item.part.text, declared))
    end = line_end(text, item.base + last)
    after = _LINE_END.match(text, end)
    return TextEdit(Span(start, after.end() if after else end), "")


def _new_section(text: str, pipeline: Pipeline, line: str) -> TextEdit | None:
    steps = pipeline.entry("steps")
    if steps is None or line_start(text, steps.key.start) != steps.key.start:
        return None
    at = steps.key.start
    # Comments right above `steps:` speak about the steps.
    while at and text[line_start(text, above := line_end_before(text, at)) : above].startswith("#"):
        at = line_start(text, above)
    newline = newline_of(text)
    return TextEdit(Span(at, at), f"params:{newline}{line}{newline}")
