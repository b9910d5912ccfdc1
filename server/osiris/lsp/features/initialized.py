"""``initialized``: the client is ready; get ready for the user."""

from __future__ import annotations

from typing import Any

from osiris.lsp.configuration import pull_settings, register_for_changes
from osiris.lsp.session import Session
from osiris.lsp.warm_up import warm_up
from osiris.lsp.watched_files import watch_project_files


def handle(session: Session, params: Any) -> None:
    """Warm up, ask for the settings, have the files watched on which diagnostics depend, follow runs that go on."""
    session.start(_get_ready(session), "warm-up")
    if session.client.configuration:
        session.start(pull_settings(session), "reading the settings")
    if session.client.register_configuration:
        session.start(register_for_changes(session), "watching the settings")
    if session.client.watch_files:
        session.start(watch_project_files(session), "watching project files")


async def _get_ready(session: Session) -> None:
    try:
        await warm_up(session)
        if session.settings.trusted:
            session.start(session.runs.attach(), "looking for runs that go on")
    finally:
        session.start(session.collector.collect_when_quiet(), "collecting garbage")
