"""Which AI model conversations use: what the user has set in the editor, else their own settings and the environment.

Never what a workspace says; and only what the project's ``osiris.yaml`` allows. A key that the editor keeps is asked of
it by ``osiris/secret`` (``{"for"}`` -> ``{"secret"}``, a text or null), and only for the provider, or the server, that
is chosen. It stays in the memory of this process.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from osiris.core.llm.user_settings import AiSettings
    from osiris.core.project import Project
    from osiris.lsp.editor_model import EditorModel
    from osiris.lsp.session import Session

SECRET_REQUEST = "osiris/secret"


class ModelChoice:
    """The choice as it is now. What is found is kept until one of the files that say it changes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[Path, tuple[Hashable, bool]] = {}
        self._keys: dict[str, str] = {}
        self._others: set[str] = set()  # providers that single conversations were begun with

    def settings(self) -> AiSettings:
        """What counts. Raises ConfigurationError for settings of the user that cannot be used."""
        from osiris.core.llm.user_settings import load_ai_settings

        chosen = self._session.settings.ai
        own = load_ai_settings().of_provider(chosen.provider)
        return replace(own, keys=dict(self._keys)).with_options(
            provider=chosen.provider,
            model=chosen.model,
            base_url=chosen.base_url,
            fallback=chosen.fallback,
            timeout=chosen.timeout,
        )

    def of_editor(
        self, settings: AiSettings, loop: asyncio.AbstractEventLoop, model: str | None = None
    ) -> EditorModel | None:
        """The editor's own model, when the client has one; ``model``: another one of its than that of the settings."""
        from osiris.core.llm.providers import EDITOR
        from osiris.lsp.editor_model import EditorModel

        if not self._session.client.model_requests:
            return None
        named = model or (settings.model if settings.provider == EDITOR else None)
        return EditorModel(self._session, loop, named or "")

    async def look_for_keys(self, provider: str | None = None) -> bool:
        """Ask the client for the keys of what is chosen, and of ``provider``; whether others are there now."""
        from osiris.core.error_taxonomy import ConfigurationError
        from osiris.core.llm.providers import PROVIDERS

        if provider in PROVIDERS:
            self._others.add(provider)
        before, found = self._keys, dict[str, str]()
        try:
            places = self.settings().key_places()
        except ConfigurationError:  # whoever asks the model is told
            places = ()
        able = self._session.client.secret_requests and self._session.settings.trusted
        for place in {*places, *self._others} if able else ():
            if key := await self._kept(place):
                found[place] = key
        self._keys = found
        return found != before

    async def _kept(self, place: str) -> str | None:
        try:
            answer = await self._session.protocol.ask(SECRET_REQUEST, {"for": place})
        except JsonRpcException:
            return None  # The client has none, or its user locked it; whoever asks the model is told of no key.
        secret = answer.get("secret") if isinstance(answer, dict) else None
        return secret.strip() or None if isinstance(secret, str) else None

    def usable(self, project: Project) -> bool:
        """Whether there is a model that may be asked about the project. Sends nothing."""
        state = self._state(project)
        known = self._known.get(project.root)
        if known is None or known[0] != state:
            known = self._known[project.root] = (state, self._is_usable(project))
        return known[1]

    def _is_usable(self, project: Project) -> bool:
        from osiris.core.config import Config
        from osiris.core.error_taxonomy import OsirisError
        from osiris.core.llm_adapter import LLMAdapter

        try:
            chosen = self.settings()
            ceiling = Config.load(project.root).ai
            editor = self.of_editor(chosen, asyncio.get_running_loop())
            LLMAdapter.create(settings=chosen, ceiling=ceiling, editor=editor).check()
        except OsirisError:
            return False
        return True

    def chosen(self, project: Project, loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
        """Which model would be asked about the project, and whether it can be, or why not. Sends nothing."""
        from osiris.core.config import Config
        from osiris.core.error_taxonomy import OsirisError, describe
        from osiris.core.llm_adapter import LLMAdapter

        allowed, place = True, None
        try:
            ceiling = Config.load(project.root).ai
            allowed = ceiling.enabled
            chosen = self.settings()
            place = next(iter(chosen.key_places()), None)
            adapter = LLMAdapter.create(settings=chosen, ceiling=ceiling, editor=self.of_editor(chosen, loop))
            adapter.check()
        except OsirisError as error:
            return {"allowed": allowed, "problem": describe(error), "hint": error.hint, "keyFor": place}
        model = adapter.models[0]
        known = {"provider": model.provider, "model": model.model, "host": model.host}
        return {"ready": True, **known, "keyFor": place}

    def _state(self, project: Project) -> Hashable:
        from osiris.core.config import CONFIG_FILE
        from osiris.core.error_taxonomy import ConfigurationError
        from osiris.core.llm.user_settings import FILE_NAME
        from osiris.core.user_dirs import settings_dir

        try:
            own = _signature(settings_dir() / FILE_NAME)
        except ConfigurationError:
            own = None
        return own, _signature(project.root / CONFIG_FILE), self._session.settings.ai, frozenset(self._keys)


def _signature(path: Path) -> Hashable:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
