"""``workspace/diagnostic``: the findings of every file of ours in every folder, open or not.

A client that takes parts gets them as they come. When such a client has everything already, the request is kept open
until something changes, as the protocol has it: such clients ask again as soon as they are answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from lsprotocol import types

from osiris.lsp.documents import key_of
from osiris.lsp.reports import Report
from osiris.lsp.session import Session

PART_SECONDS = 0.2
KEPT_SECONDS = 60.0
KEPT_SECONDS_UNWATCHED = 5.0  # without word from the client, only looking shows what has changed

Item = dict[str, Any]


async def handle(session: Session, params: types.WorkspaceDiagnosticParams) -> dict[str, Any]:
    """The reports that the client has not, and word of the others; what it has of files that are gone is emptied."""
    known = {key_of(previous.uri): previous for previous in params.previous_result_ids}
    token = params.partial_result_token
    while True:
        change = asyncio.ensure_future(session.diagnostics.surroundings_change())
        try:
            async with session.progress("Checking all pipelines", params.work_done_token):
                items, changed = await _look(session, known, token)
            if changed or token is None or not known:
                return {"items": items}
            # An ability to watch is no promise that everything is watched; so even then it is looked at now and then.
            longest = KEPT_SECONDS if session.client.watch_files else KEPT_SECONDS_UNWATCHED
            await asyncio.wait((change,), timeout=longest)
        finally:
            change.cancel()


async def _look(
    session: Session, known: dict[str, types.PreviousResultId], token: types.ProgressToken | None
) -> tuple[list[Item], bool]:
    """The items that are left to be sent, and whether any of all is news."""
    items: list[Item] = []
    changed, sent = False, asyncio.get_running_loop().time()
    async for item in _items(session, known):
        fresh = item["kind"] == "full"
        changed = changed or fresh
        if fresh or token is None:
            items.append(item)
        now = asyncio.get_running_loop().time()
        if token is not None and items and now - sent >= PART_SECONDS:
            session.protocol.notify(types.PROGRESS, {"token": token, "value": {"items": items}})
            items, sent = [], now
    return items, changed


async def _items(session: Session, known: dict[str, types.PreviousResultId]) -> AsyncIterator[Item]:
    gone = dict(known)
    async for report in session.reports.in_scope(patient=True):
        previous = gone.pop(key_of(report.uri), None)
        yield _item(report, previous.value if previous is not None else None)
    for previous in gone.values():
        yield {"kind": "full", "uri": previous.uri, "version": None, "items": []}


def _item(report: Report, previous: str | None) -> Item:
    item: Item = {"uri": report.uri, "version": report.version, "resultId": report.result_id}
    if report.result_id == previous:
        return {"kind": "unchanged", **item}
    return {"kind": "full", **item, "items": report.items}
