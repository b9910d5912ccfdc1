"""Completion in the YAML files of a project, from the description of what they may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osiris.components.spec import Direction
from osiris.ide.completion.insertion import choice, escape, in_quotes, key_text, literal
from osiris.ide.completion.paths import paths_below, suffixes_of
from osiris.ide.completion.suggestion import Completions, Item, ItemKind, Topic
from osiris.ide.cursor import Cursor, Role, cursor_at
from osiris.ide.project_files.schema import lookup, schema_of
from osiris.ide.vocabulary import Schema, types_of
from osiris.language.connection_checks import VARIABLE, field_variable
from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.document import parse
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.ide.project_files.files import ProjectFile

_OPEN = re.compile(r"\$\{([A-Za-z0-9_]*)\Z")
_REST = re.compile(r"[A-Za-z0-9_]*(\}?)")


@dataclass(frozen=True, slots=True)
class _Place:
    cursor: Cursor
    file: ProjectFile
    schema: Schema


def complete(file: ProjectFile, offset: int) -> Completions | None:
    """The suggestions for a cursor at ``offset``."""
    cursor = cursor_at(parse(file.text), offset)
    place = _Place(cursor, file, schema_of(file))
    if (inside := _variables_inside(place)) is not None:
        return inside
    if cursor.role in (Role.KEY, Role.ITEM):
        items = list(_keys(place))
    elif cursor.role is Role.VALUE:
        items = list(_values(place))
    else:
        return None
    if cursor.gap:
        items = [Item(i.label, i.kind, " " + i.text, None, i.detail, i.filter, i.again, i.topic) for i in items]
    edits = (TextEdit(cursor.indent, " " * cursor.column),) if cursor.indent is not None else ()
    return Completions(cursor.token, tuple(items), edits) if items else None


# -- keys


def _keys(place: _Place) -> Iterator[Item]:
    cursor = place.cursor
    home = lookup(place.schema, cursor.path)
    if home is None or types_of(home) not in (("object",), ("object", "null")):
        return
    if cursor.path[:1] == ("connections",) and len(cursor.path) == 2 and not cursor.has_colon and not cursor.flow:
        yield _connection(place, str(cursor.path[1]))
    known = home.get("properties", {})
    required = [name for name in home.get("required", ()) if name in known]
    present = {key for key in cursor.keys if key != cursor.text}
    for name in [*required, *(name for name in known if name not in required)]:
        if name not in present:
            yield _key(place, name, known[name], "required" if name in required else "")


def _key(place: _Place, name: str, schema: Schema, detail: str) -> Item:
    cursor = place.cursor
    path = (*cursor.path, name)
    code = name if name in CODES else None
    topic = Topic(path, code=code)
    detail = detail or (CODES[name].title if code else "secret" if schema.get("x-secret") else "")
    if cursor.has_colon or cursor.begun:
        return Item(name, ItemKind.KEY, name if cursor.has_colon else f"{name}:", None, detail, topic=topic)
    if len(path) == 2 and path[0] == "connections" and not cursor.flow:
        whole = _family(place, name, cursor.column)
        return Item(name, ItemKind.KEY, f"{name}:\n" + " " * (cursor.column + 2), whole, detail, topic=topic)
    if schema.get("x-secret") and (variable := _variable_for(path)):
        value = f'"${{{variable}}}"' if cursor.flow else f"${{{variable}}}"
        return Item(name, ItemKind.KEY, f"{name}: {value}", None, detail, topic=topic)
    text, snippet = key_text(name, schema, cursor.column, flow=cursor.flow)
    leads_on = bool(schema.get("enum") or "boolean" in types_of(schema) or "x-osiris-path" in schema)
    again = leads_on or (text.endswith(" ") and "\n" in text)
    return Item(name, ItemKind.KEY, text, snippet, detail, again=again, topic=topic)


def _variable_for(path: tuple[str | int, ...]) -> str | None:
    if len(path) != 4 or path[0] != "connections":
        return None
    return field_variable(str(path[1]), str(path[2]), str(path[3]))


def _connection(place: _Place, family: str) -> Item:
    column = place.cursor.column
    body, _ = _fields(place, family, "main", column + 2, 2)
    text = "main:\n" + " " * (column + 2)
    return Item("connection", ItemKind.SNIPPET, text, "${1:main}:" + body, detail=f"a new connection of {family}")


def _family(place: _Place, family: str, column: int) -> str:
    body, _ = _fields(place, family, "main", column + 4, 2)
    return f"{family}:\n{' ' * (column + 2)}${{1:main}}:{body}"


def _fields(place: _Place, family: str, alias: str, column: int, number: int) -> tuple[str, int]:
    """The required fields of a connection as lines of a snippet; its first field when none is required."""
    home = lookup(place.schema, ("connections", family, alias)) or {}
    known = home.get("properties", {})
    pad = "\n" + " " * column
    lines = ""
    for name in home.get("required") or list(known)[:1]:
        schema = known[name]
        if schema.get("x-secret"):
            lines += f"{pad}{name}: " + escape(f"${{{field_variable(family, alias, name)}}}")
            continue
        if allowed := schema.get("enum"):
            lines += f"{pad}{name}: {choice(number, [literal(value) for value in allowed])}"
        else:
            lines += f"{pad}{name}: ${number}"
        number += 1
    return lines, number


# -- values


def _values(place: _Place) -> Iterator[Item]:
    cursor = place.cursor
    schema = lookup(place.schema, cursor.path)
    if schema is None:
        return
    if "x-osiris-path" in schema:
        direction: Direction | None = "input" if schema["x-osiris-path"] != "folder" else None
        yield from paths_below("", cursor.prefix, cursor.quote, direction, suffixes_of(schema), place.file.env)
    seen: set[str] = set()
    for value, detail in _allowed(schema):
        label = value if isinstance(value, str) and value.strip() else literal(value)
        if label not in seen:
            seen.add(label)
            text = in_quotes(value, cursor.quote) if cursor.quote else literal(value)
            yield Item(label, ItemKind.VALUE, text, None, detail)
    if place.file.kind.value == "connections" and cursor.path[3:4] not in ((), ("default",)):
        for name, detail in _names(place, secret=bool(schema.get("x-secret"))):
            text = f"${{{name}}}"
            quoted = text if cursor.quote or not cursor.flow else f'"{text}"'
            yield Item(text, ItemKind.VARIABLE, quoted, None, detail, filter=text)


def _allowed(schema: Schema) -> Iterator[tuple[Any, str]]:
    default = schema.get("default")
    for value in schema.get("enum", ()):
        yield value, "default" if value == default else ""
    if "boolean" in types_of(schema):
        yield True, "default" if default is True else ""
        yield False, "default" if default is False else ""
    if schema.get("x-secret"):
        return
    if "default" in schema and not isinstance(default, dict | list):
        yield default, "default"
    yield from ((value, "example") for value in schema.get("examples", ()) if not isinstance(value, dict | list))


def _names(place: _Place, *, secret: bool) -> Iterator[tuple[str, str]]:
    """Variables for the field at the cursor: the one it would be called, those of ``.env``, those used elsewhere."""
    own = _variable_for(place.cursor.path[:4])
    names = [own] if own and secret else []
    names += place.file.dotenv_names
    names += [match[1] for match in VARIABLE.finditer(place.file.text)]
    for name in dict.fromkeys(names):
        origin = place.file.env.variable_origin(name)
        yield name, f"set in {'the environment' if origin == 'environment' else origin}" if origin else "not set"


def _variables_inside(place: _Place) -> Completions | None:
    """Suggestions inside a ``${`` that is being typed in the connections file; None elsewhere."""
    cursor, text = place.cursor, place.file.text
    if place.file.kind.value != "connections" or cursor.role not in (Role.VALUE, Role.TEXT, Role.ITEM, Role.KEY):
        return None
    line_start = max(text.rfind("\n", 0, cursor.offset), text.rfind("\r", 0, cursor.offset)) + 1
    opened = _OPEN.search(text, line_start, cursor.offset)
    if opened is None:
        return None
    rest = _REST.match(text, cursor.offset)
    assert rest is not None
    schema = lookup(place.schema, cursor.path) or {}
    found = list(_names(place, secret=bool(schema.get("x-secret"))))
    closing = "" if text[rest.end() : rest.end() + 2] == ":-" else "}"
    items = tuple(
        Item(name, ItemKind.VARIABLE, name + closing, None, detail)
        for name, detail in found
        if name != text[opened.start(1) : rest.start(1)] or detail != "not set"
    )
    return Completions(Span(opened.start(1), rest.end()), items) if items else None
