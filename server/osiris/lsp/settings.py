"""What the user has set, from the initialisation options and from ``workspace/configuration``. Nothing is required."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class AiChoice:
    """The AI model that the user has chosen in the editor's settings; None where they have not. No key is among them.

    ``timeout``: seconds.
    """

    provider: str | None = None
    model: str | None = None
    base_url: str | None = None
    fallback: str | None = None
    timeout: float | None = None

    def updated(self, values: object) -> AiChoice:
        """This choice with the known keys of a JSON object; an empty text takes a choice back."""
        if not isinstance(values, dict):
            return self
        choice = self
        for key, name in _AI_TEXTS.items():
            if isinstance(text := values.get(key), str):
                choice = replace(choice, **{name: text.strip() or None})  # type: ignore[arg-type]
        seconds = values.get("timeout")
        if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 1 <= seconds <= 3600:
            choice = replace(choice, timeout=float(seconds))
        return choice


_AI_TEXTS = {"provider": "provider", "model": "model", "baseUrl": "base_url", "fallback": "fallback"}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings the server itself reads.

    ``diagnostics_scope`` says whether findings of files that are not open are shown, too, to a client that asks for
    diagnostics. ``trusted`` is False only when the client says so: then nothing of the workspace is compiled, run or
    connected to. ``implicit_needs_hints`` and ``param_value_hints`` turn inlay hints on, ``code_lens`` the commands and
    results above steps. ``discovery_automatic``: the editor offers to read the schema of a database, and refreshes by
    itself what it was allowed to read; ``discovery_seconds``: how long the reading of one connection may take.
    ``run_target``: where runs run, when whoever starts one does not say; None: where osiris.yaml says. ``ai`` counts
    for the window: that of a folder is never looked at.
    """

    trusted: bool = True
    compile_on_save: bool = True
    implicit_needs_hints: bool = True
    param_value_hints: bool = False
    code_lens: bool = True
    discovery_automatic: bool = True
    discovery_seconds: float = 120.0
    run_target: str | None = None
    diagnostics_scope: Literal["workspace", "open"] = "workspace"
    ai: AiChoice = AiChoice()

    def updated(self, values: object) -> Settings:
        """These settings with the known keys of a JSON object; values of the wrong type are passed over.

        ``trusted`` can be taken away by any message, but given only by the initialisation options.
        """
        if not isinstance(values, dict):
            return self
        nested = values.get("osiris")
        settings = self.updated(nested) if isinstance(nested, dict) else self
        if isinstance(on_save := values.get("compileOnSave"), bool):
            settings = replace(settings, compile_on_save=on_save)
        if isinstance(lenses := values.get("codeLens"), bool):
            settings = replace(settings, code_lens=lenses)
        hints = values.get("inlayHints")
        if isinstance(hints, dict) and isinstance(needs := hints.get("implicitNeeds"), bool):
            settings = replace(settings, implicit_needs_hints=needs)
        if isinstance(hints, dict) and isinstance(shown := hints.get("paramValues"), bool):
            settings = replace(settings, param_value_hints=shown)
        diagnostics = values.get("diagnostics")
        scope = diagnostics.get("scope") if isinstance(diagnostics, dict) else None
        if scope == "workspace" or scope == "open":
            settings = replace(settings, diagnostics_scope=scope)
        discovery = values.get("discovery")
        if isinstance(discovery, dict) and isinstance(automatic := discovery.get("automatic"), bool):
            settings = replace(settings, discovery_automatic=automatic)
        seconds = discovery.get("timeoutSeconds") if isinstance(discovery, dict) else None
        if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 1 <= seconds <= 3600:
            settings = replace(settings, discovery_seconds=float(seconds))
        run = values.get("run")
        if isinstance(run, dict) and isinstance(target := run.get("target"), str):
            settings = replace(settings, run_target=target.strip() or None)
        settings = replace(settings, ai=settings.ai.updated(values.get("ai")))
        if values.get("trusted") is False:
            settings = replace(settings, trusted=False)
        return settings
