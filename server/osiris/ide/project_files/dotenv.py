"""Editor features of ``.env``: the names that somebody asks for, and who does. Its values are never looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from osiris.core.dotenv import DotenvEntry, read_dotenv
from osiris.core.dotenv_checks import PARAM_PREFIX
from osiris.ide.completion.suggestion import Completions, Item, ItemKind
from osiris.ide.hover.hover import Hover
from osiris.ide.navigation.document_symbols import Symbol, SymbolKind
from osiris.language.connection_checks import VARIABLE
from osiris.language.naming import variable_name
from osiris.syntax.text import Span
from osiris.syntax.tree import Plain

if TYPE_CHECKING:
    from osiris.ide.project_files.files import ProjectFile

_TYPED = re.compile(r"(?:[ \t]*export[ \t]+|[ \t]*)([A-Za-z0-9_]*)\Z")
_REST = re.compile(r"[A-Za-z0-9_]*([ \t]*=)?")


def complete(file: ProjectFile, offset: int) -> Completions | None:
    """The names that connections and parameters ask for and that the file does not set yet."""
    text = file.text
    line_start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    typed = _TYPED.match(text[line_start:offset])
    entries = _entries(file)
    if typed is None or any(entry.name_span.end < offset <= entry.span.end for entry in entries):
        return None
    rest = _REST.match(text, offset)
    assert rest is not None
    span = Span(offset - len(typed[1]), rest.start(1) if rest[1] else rest.end())
    present = {entry.name for entry in entries} - {text[span.start : span.end]}
    wanted = {name: "asked for by " + ", ".join(places) for name, places in _asked(file).items()}
    wanted |= {variable_name(param): f"the parameter {param}" for param in sorted(file.params or ())}
    items = tuple(
        Item(name, ItemKind.VARIABLE, name if rest[1] else f"{name}=", None, detail)
        for name, detail in wanted.items()
        if name not in present
    )
    return Completions(span, items) if items else None


def hover(file: ProjectFile, offset: int) -> Hover | None:
    """Who asks for a variable, and whether the process environment goes before it."""
    entry = next((entry for entry in _entries(file) if entry.name_span.touches(offset)), None)
    if entry is None:
        return None
    lines = [f"**{entry.name}**", ""]
    if places := _asked(file).get(entry.name):
        lines.append("Asked for by: " + ", ".join(places))
    elif params := [name for name in sorted(file.params or ()) if variable_name(name) == entry.name]:
        lines.append(f"Gives the parameter `{params[0]}` its value, in every pipeline that has it.")
    elif entry.name.startswith(PARAM_PREFIX):
        lines.append("No pipeline of the project has this parameter.")
    else:
        lines.append("No connection of the project asks for it.")
    if file.env.variable_origin(entry.name) == "environment":
        lines += ["", "The process environment sets it as well, and wins: what stands here does not count."]
    return Hover(entry.name_span, "\n".join(lines))


def symbols(file: ProjectFile) -> tuple[Symbol, ...]:
    """The variables by name."""
    return tuple(Symbol(entry.name, SymbolKind.VARIABLE, entry.span, entry.name_span) for entry in _entries(file))


def _entries(file: ProjectFile) -> list[DotenvEntry]:
    return [item for item in read_dotenv(file.text) if isinstance(item, DotenvEntry)]


def _asked(file: ProjectFile) -> dict[str, list[str]]:
    """The variables of the connections, each with the fields that ask for it."""
    found: dict[str, list[str]] = {}
    known = file.env.connections
    for group in known.families.values() if known is not None else ():
        for connection in group.values():
            for field, value in connection.fields.items():
                for name in dict.fromkeys(_names(value)):
                    found.setdefault(name, []).append(f"`{connection.reference}` ({field})")
    return found


def _names(value: Plain) -> Iterator[str]:
    if isinstance(value, str):
        yield from (match[1] for match in VARIABLE.finditer(value))
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _names(item)
