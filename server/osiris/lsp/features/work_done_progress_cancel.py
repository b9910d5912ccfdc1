"""``window/workDoneProgress/cancel``: the user closed a progress; the run behind it is cancelled."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.session import Session


def handle(session: Session, params: types.WorkDoneProgressCancelParams) -> None:
    """Cancel what reports under this token."""
    session.runs.cancel_by_token(params.token)
