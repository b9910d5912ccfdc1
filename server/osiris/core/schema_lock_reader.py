"""Reads the text of osiris.schema.json; whatever is wrong in it is a finding at its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from osiris.language.catalog import Catalog, Column, Columns, TableInfo, TableKind
from osiris.language.findings import finding
from osiris.language.project_file_names import LOCK_FILE
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.text import Span

MAX_FINDINGS = 50
_NEWER = "A newer version of Osiris has written this file. Update Osiris."
_WRITE_ANEW = "Write it anew: osiris discover --lock"
_KINDS = frozenset(get_args(TableKind))
Way = tuple[str | int, ...]

# What each property of a column is, beside its name.
_COLUMN: Mapping[str, tuple[type, str]] = {
    "name": (str, "a text"),
    "type": (str, "a text"),
    "arrow": (str, "a text"),
    "nullable": (bool, "true or false"),
    "primary_key": (int, "the place in the key, from 1"),
    "unique": (bool, "true or false"),
    "references": (str, "a text"),
    "generated": (bool, "true or false"),
    "values": (list, "a list of texts"),
}


def read_lock(text: str) -> tuple[dict[str, Catalog], tuple[Diagnostic, ...], bool]:
    """The sound catalogs in ``text`` by reference, what is wrong, and whether a newer version has written it.

    Never raises.
    """
    try:
        plain = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        start = min(error.pos, max(len(text) - 1, 0))
        message = f"This is not JSON: {error.msg[:1].lower()}{error.msg[1:]}. {_WRITE_ANEW}"
        return {}, (_finding(Span(start, min(start + 1, len(text))), message),), False
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return {}, (_finding(Span(0, min(1, len(text))), f"This cannot be read: {reason}. {_WRITE_ANEW}"),), False
    reader = _Reader()
    catalogs = reader.read(plain)
    return catalogs, tuple(_placed(text, reader.problems[:MAX_FINDINGS])), reader.newer


def _finding(span: Span, message: str) -> Diagnostic:
    return finding("OML420", span, message, relock=True)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class _Reader:
    def __init__(self) -> None:
        self.problems: list[tuple[Way, str]] = []
        self.newer = False

    def report(self, way: Way, message: str) -> None:
        self.problems.append((way, message))

    def mapping(self, value: Any, way: Way, what: str) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self.report(way, f"{what} is an object.")
        return {}

    def text(self, value: Any, way: Way, what: str) -> str:
        if isinstance(value, str):
            return value
        self.report(way, f"{what} is a text.")
        return ""

    def read(self, plain: Any) -> dict[str, Catalog]:
        top = self.mapping(plain, (), LOCK_FILE)
        version = top.get("schema_version")
        if version != 1 or isinstance(version, bool):
            if isinstance(version, int) and version > 1:
                self.newer = True
                self.report(("schema_version",), _NEWER)
            elif isinstance(plain, dict):
                self.report(("schema_version",), f"schema_version is 1. {_WRITE_ANEW}")
            return {}
        connections = self.mapping(top.get("connections", {}), ("connections",), "connections")
        found = {}
        for reference, value in connections.items():
            catalog = self.catalog(reference, value)
            if catalog is not None:
                found[reference] = catalog
        return found

    def catalog(self, reference: str, plain: Any) -> Catalog | None:
        from osiris.language.connections import parse_reference

        way: Way = ("connections", reference)
        if parse_reference(reference) is None:
            self.report(way, f"{reference} is no connection: they are called @family.alias.")
            return None
        body = self.mapping(plain, way, "A connection")
        names = ("dialect", "default_schema")
        texts = {name: self.text(body.get(name, ""), (*way, name), name) for name in names}
        infos: list[TableInfo] = []
        columns: dict[tuple[str, str], Columns] = {}
        tables = self.mapping(body.get("tables", {}), (*way, "tables"), "tables")
        for key, value in tables.items():
            table = self.table(key, value, texts["default_schema"], (*way, "tables", key))
            if table is not None:
                infos.append(table[0])
                columns[table[0].schema, table[0].name] = table[1]
        infos.sort(key=lambda info: (info.schema, info.name))
        return Catalog(
            reference, texts["dialect"], infos, columns, default_schema=texts["default_schema"], complete=False
        )

    def table(self, key: str, plain: Any, default_schema: str, way: Way) -> tuple[TableInfo, Columns] | None:
        before = len(self.problems)
        body = self.mapping(plain, way, "A table")
        before_dot, dot, after_dot = key.partition(".")
        schema, name = (before_dot, after_dot) if dot else (default_schema, key)
        schema = self.text(body.get("schema", schema), (*way, "schema"), "schema")
        name = self.text(body.get("name", name), (*way, "name"), "name")
        kind = body.get("kind", "table")
        if not isinstance(kind, str) or kind not in _KINDS:
            self.report((*way, "kind"), f"kind is one of {', '.join(sorted(_KINDS))}.")
            kind = "table"
        columns = self.columns(body.get("columns"), (*way, "columns"))
        if len(self.problems) > before:  # half a table would find faults in pipelines that have none
            return None
        return TableInfo(schema, name, kind), columns  # type: ignore[arg-type]

    def columns(self, plain: Any, way: Way) -> Columns:
        if not isinstance(plain, list):
            self.report(way, "columns is a list.")
            return ()
        found: dict[str, Column] = {}
        for index, item in enumerate(plain):
            column = self.column(item, (*way, index))
            if column is not None and column.name in found:
                self.report((*way, index, "name"), f"The table has a column {column.name} already.")
            elif column is not None:
                found[column.name] = column
        return tuple(found.values())

    def column(self, plain: Any, way: Way) -> Column | None:
        body = self.mapping(plain, way, "A column")
        good: dict[str, Any] = {}
        for name, value in body.items():
            if name not in _COLUMN:
                continue  # a later version may say more
            kind, wanted = _COLUMN[name]
            sound = isinstance(value, kind) and (kind is not int or not isinstance(value, bool))
            if kind is list and sound:
                sound = all(isinstance(item, str) for item in value)
                value = tuple(value)
            if not sound:
                self.report((*way, name), f"{name} is {wanted}.")
            good[name] = value
        missing = [name for name in ("name", "type") if name not in good]
        if missing:
            if isinstance(plain, dict):
                self.report(way, f"A column has a {' and a '.join(missing)}.")
            return None
        return Column(**good)


def _placed(text: str, problems: list[tuple[Way, str]]) -> Iterator[Diagnostic]:
    """The findings; where each stands is looked for only now, since a sound file needs no places."""
    if not problems:
        return
    from osiris.syntax.document import parse

    root = parse(text).root()  # JSON is YAML
    for way, message in problems:
        place = _place(root, way)
        if place.start == place.end:  # an empty object has no place of its own
            place = Span(0, min(1, len(text)))
        yield _finding(place, f"{message} What is wrong here is not used.")


def _place(node: Any, way: Way) -> Span:
    """The place of what stands at ``way``; of the nearest thing around it when that is not there."""
    from osiris.syntax.tree import Mapping as MappingNode
    from osiris.syntax.tree import Sequence as SequenceNode

    span = Span(node.span.start, min(node.span.start + 1, node.span.end))
    for part in way:
        if isinstance(node, MappingNode) and isinstance(part, str):
            entry = node.entry(part)
            if entry is None:
                break
            span, node = entry.key.span, entry.value
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            span = node.span
        else:
            break
    return span
