"""``shutdown``: let go of everything; the process ends with ``exit``. Runs go on: they belong to nobody's window."""

from __future__ import annotations

import asyncio
from typing import Any

from osiris.lsp.session import Session


async def handle(session: Session, params: Any) -> None:
    """Cancel all other requests, each of which is answered as cancelled, then answer null."""
    session.protocol.cancel_all_but(asyncio.current_task())
    session.close()
    await asyncio.sleep(0)
