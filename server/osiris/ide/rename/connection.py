"""Rename of a connection's alias: in the connections file, and in every pipeline of its project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.ide.navigation.connection_places import alias_span
from osiris.ide.rename.check import Renamable, RenameRefused, check_meaning, spelled
from osiris.language.connections import parse_connections, parse_reference
from osiris.language.edits import applied
from osiris.language.environment import StaticEnvironment
from osiris.language.project_file_names import CONNECTIONS_FILE
from osiris.language.symbols import Symbol, occurrences, symbol_at
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Style

if TYPE_CHECKING:
    from osiris.components.registry import ComponentRegistry
    from osiris.language.analysis import Analysis
    from osiris.language.connections import Connection, Connections
    from osiris.language.environment import Environment

_ALIAS = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class AliasRename:
    """A rename of ``connection``: ``edit`` is for the connections file, ``after`` what that says then."""

    connection: Connection
    new_alias: str
    edit: TextEdit
    after: Connections


def connection_under(analysis: Analysis, env: Environment, offset: int) -> tuple[Renamable, Connection] | None:
    """The connection that a step refers to at ``offset``, and its alias there; None where there is no reference.

    Raises RenameRefused for a reference to nothing, or on its family.
    """
    symbol = symbol_at(analysis, offset)
    parsed = parse_reference(symbol.name) if symbol is not None and symbol.kind == "connection" else None
    if symbol is None or parsed is None:
        return None
    family, alias = parsed
    if env.connections is None:
        raise RenameRefused(f"The project has no {CONNECTIONS_FILE}, so there is nothing to rename.")
    known = env.connections.get(family, alias)
    if known is None:
        raise RenameRefused(f"{CONNECTIONS_FILE} has no connection `{symbol.name}`, so there is nothing to rename.")
    if symbol.synthetic:
        raise RenameRefused(f"`{symbol.name}` comes from somewhere else in the file. Rename it where it is written.")
    place = _alias_in(analysis, symbol)
    if offset < place.start:
        raise RenameRefused(f"`{family}` is the family of the connection, which its components decide: only `{alias}`, "
                            "its alias, can be renamed.")  # fmt: skip
    return Renamable(place, alias), known


def alias_place(connections: Connections, connection: Connection) -> Renamable:
    """The alias in the connections file. Raises RenameRefused when it is not written out there."""
    span = alias_span(connections, connection)
    if connections.document.text[slice(*span)] != connection.alias:
        raise RenameRefused(
            f"`{connection.alias}` comes from somewhere else in the file. Rename it where it is written."
        )
    return Renamable(span, connection.alias)


def rename_alias(
    connections: Connections, connection: Connection, new_name: str, registry: ComponentRegistry | None = None
) -> AliasRename:
    """Start a rename: ``new_name`` is an alias, or ``@family.alias`` of the same family.

    Raises RenameRefused for a name that cannot be used or is taken.
    """
    parsed = parse_reference(new_name)
    alias = parsed[1] if parsed and parsed[0] == connection.family else new_name
    if not _ALIAS.fullmatch(alias):
        raise RenameRefused(
            f"`{new_name}` cannot stand in `@{connection.family}.alias`: use letters, digits, `_` and `-`.",
            bad_name=True,
        )
    if alias != connection.alias and connections.get(connection.family, alias) is not None:
        raise RenameRefused(f"There is a connection `@{connection.family}.{alias}` already.", bad_name=True)
    place = alias_place(connections, connection)
    text = connections.document.text
    quoted = text[place.span.start - 1 : place.span.start] in ("'", '"')
    edit = TextEdit(place.span, alias if quoted else spelled(alias, Style.PLAIN))
    return AliasRename(connection, alias, edit, parse_connections(applied(text, [edit]), registry))


def edits_of(rename: AliasRename, analysis: Analysis, env: Environment) -> tuple[TextEdit, ...]:
    """What a rename changes in one pipeline of the project. Raises RenameRefused when the pipeline would not mean the
    same afterwards, as when a parameter is part of its reference."""
    reference = rename.connection.reference
    places = occurrences(analysis, Symbol("connection", reference, Span(0, 0), False, reference))
    edits = tuple(_edit(rename, analysis, place) for place in places if not place.synthetic)
    if edits or any(place.synthetic for place in places) or _may_depend(rename.connection, analysis):
        # What is not known of these surroundings (files, other pipelines) can only make findings fewer.
        after = StaticEnvironment(registry=env.registry, connections=rename.after, severities=env.severities)
        check_meaning(analysis, after, edits)
    return edits


def _alias_in(analysis: Analysis, symbol: Symbol) -> Span:
    """The alias in a reference; all of it where it is written with escapes."""
    start, end = symbol.span
    if analysis.document.text[start:end] != symbol.name:
        return symbol.span
    return Span(start + symbol.name.index(".") + 1, end)


def _edit(rename: AliasRename, analysis: Analysis, place: Symbol) -> TextEdit:
    span = _alias_in(analysis, place)
    new = rename.new_alias if span != place.span else f"@{rename.connection.family}.{rename.new_alias}"
    return TextEdit(span, new)


def _may_depend(connection: Connection, analysis: Analysis) -> bool:
    """Whether a pipeline may use the connection without saying so: by a parameter, or as the default of its family."""
    for step, spec in zip(analysis.pipeline.steps, analysis.specs, strict=True):
        if step.shape.connection is not None:
            if "${" in step.shape.connection.text:
                return True
        elif spec is not None and spec.family == connection.family and connection.alias == "default":
            return True
    return False
