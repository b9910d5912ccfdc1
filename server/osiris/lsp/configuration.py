"""Keeps the settings true: asks the client for them, takes what it sends, and lets every change count at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lsprotocol import types

from osiris.lsp.session import Session
from osiris.lsp.settings import Settings

_SECTION = "osiris"


async def pull_settings(session: Session) -> None:
    """Ask the client for section ``osiris`` of its settings: those of the window, and those of each folder."""
    folders = list(session.projects.folders)
    items: list[dict[str, str]] = [{"section": _SECTION}]
    items += ({"scopeUri": folder.as_uri(), "section": _SECTION} for folder in folders)
    answer = await session.protocol.ask(types.WORKSPACE_CONFIGURATION, {"items": items})
    if not isinstance(answer, list) or not answer:
        return
    window = session.initial_settings.updated(answer[0])
    _apply(session, window, {folder: window.updated(own) for folder, own in zip(folders, answer[1:], strict=False)})


def take_settings(session: Session, values: Any) -> None:
    """Take the settings that the client sent unasked; they are all it has. Nothing is taken from other shapes."""
    if isinstance(values, dict):
        _apply(session, session.initial_settings.updated(values), {})


def _apply(session: Session, window: Settings, of_folders: dict[Path, Settings]) -> None:
    # Trust that was taken away does not come back by a setting, and no folder's settings give or take it.
    trusted = session.settings.trusted and window.trusted
    window = replace(window, trusted=trusted)
    own = {folder: replace(settings, trusted=trusted) for folder, settings in of_folders.items()}
    of_folders = {folder: settings for folder, settings in own.items() if settings != window}
    if (window, of_folders) == (session.settings, session.folder_settings):
        return
    if window.ai != session.settings.ai:
        session.chats.choice_changed()
    session.settings, session.folder_settings = window, of_folders
    if not trusted:
        session.discovery.stop()
        session.chats.stop_all()
    session.discovery.look()
    session.diagnostics.surroundings_changed()
    session.refresh.request()


async def register_for_changes(session: Session) -> None:
    """Ask the client to tell when these settings change."""
    registration = {
        "id": "osiris.settings",
        "method": types.WORKSPACE_DID_CHANGE_CONFIGURATION,
        "registerOptions": {"section": _SECTION},
    }
    await session.protocol.ask(types.CLIENT_REGISTER_CAPABILITY, {"registrations": [registration]})
