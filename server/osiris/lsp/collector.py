"""When Python's cyclic garbage collector runs: never while the user types.

A full collection walks the trees of all open documents, some tenths of a second for large ones. So only the young
generations are collected as usual; a full collection waits until the client has been quiet for a while.
"""

from __future__ import annotations

import asyncio
import gc

QUIET_SECONDS = 2.0
INTERVAL_SECONDS = 60.0
_YOUNG = (20_000, 20)
_NEVER = 1_000_000_000


class Collector:
    """Collects in the pauses. ``busy`` must be called with every message."""

    def __init__(self) -> None:
        self._last_message = 0.0
        self._last_collection = 0.0

    async def collect_when_quiet(self) -> None:
        """Freeze what is there, turn the collector on as described, and collect in the pauses from now on."""
        gc.freeze()  # What the server is made of stays; the collector need not look at it, now or ever.
        gc.set_threshold(*_YOUNG, _NEVER)
        gc.enable()
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(QUIET_SECONDS)
            now = loop.time()
            fresh = self._last_message > self._last_collection
            if fresh and now - self._last_message >= QUIET_SECONDS and now - self._last_collection >= INTERVAL_SECONDS:
                self._last_collection = now
                gc.collect()

    def busy(self) -> None:
        """A message has come."""
        self._last_message = asyncio.get_running_loop().time()
