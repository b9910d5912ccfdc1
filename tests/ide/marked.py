"""Documents with a cursor ``<|>`` in them, and what the editor features say there."""

from __future__ import annotations

import re
from textwrap import dedent

from osiris.ide.completion.complete import complete
from osiris.ide.completion.suggestion import Completions, Item
from osiris.ide.cursor import Cursor, cursor_at
from osiris.ide.hover.hover import hover
from osiris.language.analysis import Analysis, analyse
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment
from osiris.syntax.document import parse

ENVIRONMENT = StaticEnvironment(
    connections=parse_connections(
        "connections:\n"
        "  sqlite:\n"
        "    reports: {path: out/reports.db}\n"
        "    shop: {path: data/shop.db, default: true}\n"
        "  mysql:\n"
        "    crm: {host: db.local, user: app, password: '${CRM_PASSWORD}'}\n"
    ),
    variables={"CRM_PASSWORD": ".env"},
)


def split(marked: str) -> tuple[str, int]:
    """The text without its cursor, and the cursor's offset. Common indentation is taken away first."""
    text = dedent(marked.lstrip("\n"))
    before, after = text.split("<|>")
    return before + after, len(before)


def cursor(marked: str) -> Cursor:
    text, offset = split(marked)
    return cursor_at(parse(text), offset)


def analysed(text: str, env: StaticEnvironment = ENVIRONMENT) -> Analysis:
    return analyse(text, env)


def suggestions(marked: str, env: StaticEnvironment = ENVIRONMENT) -> Completions | None:
    text, offset = split(marked)
    return complete(analysed(text, env), env, offset)


def labels(marked: str, env: StaticEnvironment = ENVIRONMENT) -> list[str]:
    found = suggestions(marked, env)
    return [item.label for item in found.items] if found else []


def take(marked: str, label: str, *, snippet: bool = False, env: StaticEnvironment = ENVIRONMENT) -> str:
    """The text after the suggestion with this label was accepted; a tab stop is shown as ``<1>``."""
    text, offset = split(marked)
    found = complete(analysed(text, env), env, offset)
    assert found is not None, "nothing is suggested"
    [item] = [item for item in found.items if item.label == label]
    return accept(text, found, item, snippet=snippet)


def accept(text: str, found: Completions, item: Item, *, snippet: bool = False, new_text: str | None = None) -> str:
    if new_text is None:
        new_text = _shown(item.snippet) if snippet and item.snippet is not None else item.text
    edits = [(found.span, new_text), *((edit.span, edit.new_text) for edit in found.edits)]
    for (start, end), new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def expanded(snippet: str) -> str:
    """A snippet as it stands when nothing is typed at its tab stops: their defaults, and the first of each choice."""
    text = re.sub(r"(?<!\\)\$\d", "", snippet)
    text = re.sub(r"(?<!\\)\$\{\d+\|((?:[^,|\\]|\\.)*)[^|]*\|\}", lambda match: match[1], text)
    text = re.sub(r"(?<!\\)\$\{\d+:([^}]*)\}", r"\1", text)
    return re.sub(r"\\([\\$},|])", r"\1", text)


def _shown(snippet: str) -> str:
    """A snippet with its tab stops as ``<1>``, ``<1:default>`` and ``<1|a,b|>``."""
    text = re.sub(r"\$(\d)", r"<\1>", snippet)
    text = re.sub(r"\$\{(\d)(\|[^|]*\||:[^}]*)\}", r"<\1\2>", text)
    return re.sub(r"\\([\\$}])", r"\1", text)


def hovered(marked: str, env: StaticEnvironment = ENVIRONMENT) -> str | None:
    """The hover's text, behind the text it is about."""
    text, offset = split(marked)
    found = hover(analysed(text, env), env, offset)
    return f"[{text[found.span.start : found.span.end]}]\n{found.markdown}" if found else None
