"""``osiris.catalog``: ``{"uri"?, "connection"?, "schema"?, "table"?}`` -> ``{"items": [...]}``: one level of a tree.

Without a connection: the connections of the document's project, or of all projects. With one, what is below it, below
one of its schemas or tables. An item, given back as the argument, asks for what is below it. Nothing is connected to.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from osiris.lsp.commands.arguments import Arguments
from osiris.lsp.connection_use import Target, targets_for
from osiris.lsp.errors import RequestError
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The items, in the order to show them."""
    from osiris.ide.catalog_tree import below

    uri, name = arguments.text("uri", first=True), arguments.text("connection")
    targets = targets_for(session, uri, every=True)
    if name is None:
        return {"items": [_connection(session, target) for target in targets]}
    target = next((one for one in targets if one.name == name), None)
    if target is None:
        raise RequestError(f"There is no connection {name} that can be discovered.")
    knowledge = target.project.environment().schema_of(target.connection)
    schema, table = arguments.text("schema"), arguments.text("table")
    branches = below(knowledge, schema, table) if knowledge is not None else ()
    return {"items": [{**asdict(branch), **_owner(target)} for branch in branches]}


def _owner(target: Target) -> dict[str, str]:
    from osiris.language.project_file_names import CONNECTIONS_FILE

    return {"connection": target.name, "uri": (target.project.root / CONNECTIONS_FILE).as_uri()}


def _connection(session: Session, target: Target) -> dict[str, Any]:
    from osiris.ide.column_texts import as_prose
    from osiris.language.catalog import age_text

    state = session.discovery.state_of(target)
    knowledge = target.project.environment().schema_of(target.connection)
    age = age_text(knowledge.age()) if knowledge is not None and knowledge.discovered is not None else None
    failure = session.discovery.failure_of(target)
    said = {
        "unknown": "not read yet",
        "discovering": "being read",
        "failed": "could not be read",
        "locked": "as in osiris.schema.json",
    }
    return {
        "kind": "connection",
        "label": target.name,
        "detail": said.get(state) or age,
        "tooltip": as_prose(failure) if failure else f"Read {age}." if age else said[state].capitalize() + ".",
        "state": state,
        "age": age,
        "leaf": False,
        **_owner(target),
    }
