"""The connections file as a place to navigate in: which connection a cursor is at, and where one is written."""

from __future__ import annotations

from osiris.language.connections import Connection, Connections
from osiris.syntax.text import Span


def connection_at(connections: Connections, offset: int) -> Connection | None:
    """The connection whose alias a cursor (offset in code points of the connections file) stands in or behind."""
    for family in connections.families.values():
        for connection in family.values():
            if alias_span(connections, connection).touches(offset):
                return connection
    return None


def alias_span(connections: Connections, connection: Connection) -> Span:
    """The alias without its quotes, in the connections file."""
    start, end = connection.span
    quoted = end - start >= 2 and connections.document.text[start] in "'\""
    return Span(start + 1, end - 1) if quoted else Span(start, end)
