"""Switching a code off for a whole project, in ``osiris.yaml``."""

from __future__ import annotations

from osiris.core.config_file import parse_config
from osiris.core.settings import SEVERITY_SECTION
from osiris.language.edits import append_lines, insert_key, newline_of
from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.document import parse
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Scalar

_KEY = "severity"
_OFF = "off"


def turn_off_edit(text: str, code: str) -> TextEdit | None:
    """What makes the settings in ``text`` switch ``code`` off; None for a code that is always reported, for one that
    has a severity there already, and where the settings cannot be read."""
    known, document = CODES.get(code), parse(text)
    config = parse_config(text)
    if known is None or not known.configurable or code in config.severities or document.diagnostics:
        return None
    root, newline = document.root(), newline_of(text)
    if document.empty:
        return append_lines(text, f"{SEVERITY_SECTION}:\n  {_KEY}:\n    {code}: {_OFF}\n")
    if not isinstance(root, Mapping) or root.flow:
        return None
    section = root.entry(SEVERITY_SECTION)
    if section is None:
        return insert_key(text, root, SEVERITY_SECTION, f"\n  {_KEY}:\n    {code}: {_OFF}")
    inner = section.value.entry(_KEY) if isinstance(section.value, Mapping) else None
    if inner is not None:
        return _into(text, inner, f"{code}: {_OFF}", 4, code, _OFF)
    return _into(text, section, f"{_KEY}:{newline}    {code}: {_OFF}", 2, _KEY, f"{{{code}: {_OFF}}}")


def _into(text: str, entry: Entry, lines: str, indent: int, key: str, value: str) -> TextEdit | None:
    """``key: value`` into the map under an entry, or ``lines`` below an entry that has no value."""
    if isinstance(entry.value, Mapping):
        return insert_key(text, entry.value, key, value)
    if (
        not isinstance(entry.value, Scalar)
        or entry.value.value is not None
        or entry.value.span.end > entry.value.span.start
    ):
        return None
    at = text.index(":", entry.key.span.end) + 1
    return TextEdit(Span(at, at), f"{newline_of(text)}{' ' * indent}{lines}")
