"""``osiris.discover``: ``{"uri"?, "connections"?}`` -> a list of results, one for each connection.

``uri`` is a pipeline (the connections that it uses) or a file of a project (all of its connections); ``connections``
names some of them, as ``@family.alias``. Without either: all connections that open pipelines use. The user is asked
for consent where they have not given it before.
"""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.connection_use import Target, open_targets, targets_for
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
        return await session.discovery.discover(targets)


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
