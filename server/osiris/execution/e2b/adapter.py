"""``AdapterFactory.create(target="e2b")``."""

from __future__ import annotations

from osiris.execution.e2b.machines import E2BMachines
from osiris.execution.remote.adapter import RemoteAdapter


class E2BTransparentProxy(RemoteAdapter):
    """Runs a manifest in a sandbox of E2B as if it ran here: the same engine, events, numbers and files."""

    def __init__(self) -> None:
        """With the key and the settings of the user. Raises ConfigurationError when they cannot be used."""
        super().__init__(E2BMachines.load())
