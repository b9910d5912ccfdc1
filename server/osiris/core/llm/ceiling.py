"""What a project allows of AI: ``ai:`` in its osiris.yaml, which no setting of a user can raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osiris.core.llm.errors import AiForbiddenError


@dataclass(frozen=True, slots=True)
class AiCeiling:
    """``providers``: the names of providers, or hosts of other servers (``localhost:11434``); None allows any."""

    enabled: bool = True
    providers: tuple[str, ...] | None = None
    allow_rows: bool = False

    @staticmethod
    def of(settings: Mapping[str, Any]) -> AiCeiling:
        """The ceiling that the values of an osiris.yaml (by dotted key) set."""
        providers = settings.get("ai.providers")
        return AiCeiling(
            settings.get("ai.enabled", True) is not False,
            tuple(providers) if isinstance(providers, list | tuple) else None,
            settings.get("ai.allow_rows", False) is True,
        )

    def require(self, provider: str) -> None:
        """Raise AiForbiddenError unless requests may go to ``provider`` (a name, or the host of another server; empty
        where the user has chosen none, so that nothing can be sent)."""
        if not self.enabled:
            raise AiForbiddenError("This project does not allow AI.", hint="ai.enabled in its osiris.yaml says so.")
        if self.providers is not None and provider and provider not in self.providers:
            allowed = ", ".join(self.providers) or "none"
            raise AiForbiddenError(
                f"This project does not allow the AI provider {provider}.",
                hint=f"ai.providers in its osiris.yaml allows: {allowed}.",
            )

    def require_rows(self) -> None:
        """Raise AiForbiddenError unless rows of data may be sent, with the user's consent."""
        if not self.allow_rows:
            raise AiForbiddenError(
                "This project does not allow that rows of data are sent to an AI provider.",
                hint="Set ai.allow_rows in its osiris.yaml, if that is all right.",
            )
