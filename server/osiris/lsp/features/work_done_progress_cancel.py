"""``window/workDoneProgress/cancel``: the user closed a progress; what is behind it is cancelled."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.session import Session


def handle(session: Session, params: types.WorkDoneProgressCancelParams) -> None:
    """Cancel what reports under this token."""
    if (task := session.cancellable.get(params.token)) is not None:
        task.cancel()
    session.runs.cancel_by_token(params.token)
