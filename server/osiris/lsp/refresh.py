"""Asks the client to ask again, when answers that it has may have changed for a reason that it cannot know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pygls.exceptions import JsonRpcException

from osiris.lsp.errors import log

if TYPE_CHECKING:
    from osiris.lsp.session import Session

DELAY_SECONDS = 0.1  # what comes in a burst is told once
PATIENCE_SECONDS = 5.0

# What a client may be asked to ask again, and the request that brings it.
METHODS = {
    "workspace/diagnostic/refresh": "textDocument/diagnostic",
    "workspace/codeLens/refresh": "textDocument/codeLens",
    "workspace/inlayHint/refresh": "textDocument/inlayHint",
    "workspace/semanticTokens/refresh": "textDocument/semanticTokens/full",
    "workspace/foldingRange/refresh": "textDocument/foldingRange",
}
DIAGNOSTICS = "workspace/diagnostic/refresh"


class Refresh:
    """At most one request of each kind is under way; what comes meanwhile is asked once, afterwards."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._wanted: set[str] = set()
        self._asking = False

    def request(self, *methods: str) -> None:
        """Have these asked again, or everything when none is named, as far as client and server know them."""
        from osiris.lsp.server import REQUESTS

        able = {method for method in methods or METHODS if METHODS[method] in REQUESTS}
        self._wanted |= able & self._session.client.refreshes
        if self._wanted and not self._asking:
            self._asking = True
            self._session.start(self._ask(), "asking the client to ask again")

    async def _ask(self) -> None:
        try:
            while self._wanted:
                await asyncio.sleep(DELAY_SECONDS)
                wanted, self._wanted = sorted(self._wanted), set()
                for method in wanted:
                    await self._ask_once(method)
        finally:
            self._asking = False

    async def _ask_once(self, method: str) -> None:
        try:
            await asyncio.wait_for(self._session.protocol.ask(method, None), PATIENCE_SECONDS)
        except (JsonRpcException, TimeoutError):
            log.info("the client does not follow %s", method)
