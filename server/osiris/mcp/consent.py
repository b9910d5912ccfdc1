"""Where agents behind MCP may connect: where the user has agreed to it, or everywhere for this server alone."""

from __future__ import annotations

from osiris.core.error_taxonomy import ValidationError
from osiris.core.state_store import StateStore
from osiris.language.connections import Connection


class Agreed:
    """A ``Reach`` that asks nobody: a host may call tools without its user."""

    def __init__(self, everywhere: bool) -> None:
        """``everywhere``: the user has said so when they started this server. It is kept nowhere."""
        self._everywhere = everywhere
        self._store = StateStore()

    def agrees(self, connection: Connection, fingerprint: str, what: str) -> bool:
        """Whether the user has agreed, for the connection as it is now."""
        return self._everywhere or self._store.has_consent(fingerprint)

    def refusal(self, connection: Connection) -> ValidationError:
        """The user has not agreed, and how they can."""
        reference = connection.reference
        return ValidationError(
            f"{reference} is not connected to: the user has not agreed to it, and nothing is known of its tables.",
            hint=f"The user can agree in the editor, start this server with --allow-connect, or read the tables once: "
            f"osiris discover {reference}",
        )
