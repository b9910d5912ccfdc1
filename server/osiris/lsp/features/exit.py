"""``exit``: end the process, with 0 after ``shutdown`` and 1 without it."""

from __future__ import annotations

from typing import Any

from osiris.lsp.session import Session


def handle(session: Session, params: Any) -> None:
    """Stop the loop."""
    session.protocol.stop()
