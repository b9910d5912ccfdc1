"""``osiris.discover``: ``{"uri"?, "connections"?}`` -> a list of results, one for each connection.

``uri`` is a pipeline (the connections that it uses) or a file of a project (all of its connections); ``connections``
names some of them, as ``@family.alias``. Without either: all connections that open pipelines use. The user is asked
for consent where they have not given it before.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.connection_use import Target, open_targets, targets_for
from osiris.lsp.discovery import count
from osiris.lsp.errors import RequestError
from osiris.lsp.packages import require_discovery_packages
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> list[dict[str, Any]]:
    """Read the tables and columns of the connections, each in a process of its own."""
    require_trust(session, "Connecting to a database")
    targets = await chosen(session, arguments)
    require_discovery_packages(targets)
    names = ", ".join(target.name for target in targets)
    async with session.progress(f"Reading the tables of {names}", arguments.token):
        results = await session.discovery.discover(targets)
    _tell(session, results)
    return results


def _tell(session: Session, results: list[dict[str, Any]]) -> None:
    """Say that it is done, where the client shows no tree; failures were told already."""
    read = [result for result in results if result.get("ok")]
    if session.client.schema_view or not read:
        return
    what = read[0]["connection"] if len(read) == 1 else f"{len(read)} connections"
    tables, columns = (sum(result[key] or 0 for result in read) for key in ("tables", "columns"))
    session.show(f"{what}: {count(tables, 'table')} with {count(columns, 'column')} read.", types.MessageType.Info)


async def chosen(session: Session, arguments: Arguments) -> list[Target]:
    """The connections that are meant. Raises RequestError when there are none, or one is not there."""
    uri, named = arguments.text("uri", first=True), arguments.texts("connections")
    found = targets_for(session, uri, every=bool(named)) if uri is not None or named else await open_targets(session)
    if named:
        by_name = {target.name: target for target in found}
        if missing := [name for name in named if name not in by_name]:
            there = f" There is {', '.join(sorted(by_name))}." if by_name else ""
            raise RequestError(f"There is no connection {missing[0]} that can be discovered.{there}")
        found = [by_name[name] for name in dict.fromkeys(named)]
    if not found:
        raise RequestError("There is no connection to discover: no pipeline that is meant uses one.")
    return found
