"""``$/progress``: a part of an answer that the client has not finished yet."""

from __future__ import annotations

from typing import Any

from osiris.lsp.session import Session


def handle(session: Session, params: dict[str, Any]) -> None:
    """Pass it on to whoever asked. Of what is over by now, nobody hears."""
    token = params.get("token")
    if isinstance(token, str) and (told := session.partial_results.get(token)) is not None:
        told(params.get("value"))
