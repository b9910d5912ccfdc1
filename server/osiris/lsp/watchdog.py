"""Ends the server when the client's process has died without saying so: a grandchild may still hold the wire open."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

INTERVAL_SECONDS = 1.0


async def watch_process(process_id: int, gone: Callable[[], None]) -> None:
    """Call ``gone`` once the process does not exist any more. On Windows the end of the wire alone must do."""
    if os.name != "posix" or process_id <= 0:
        return
    while _exists(process_id):
        await asyncio.sleep(INTERVAL_SECONDS)
    gone()


def _exists(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
