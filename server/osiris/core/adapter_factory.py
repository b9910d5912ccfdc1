"""Choose where a manifest runs, by name."""

from __future__ import annotations

from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionAdapter
from osiris.core.lookup import find_object

# Looked up by name, since adapters belong to a later layer.
TARGETS = {"local": "osiris.execution.local:LocalAdapter"}
PLANNED = {"e2b": "sandboxes of E2B"}


class AdapterFactory:
    """Makes execution adapters."""

    @staticmethod
    def create(target: str = "local", **options: Any) -> ExecutionAdapter:
        """A new adapter for ``target``; ``options`` go to its constructor.

        Raises ConfigurationError when there is no such target or a part of it is missing here.
        """
        if target in TARGETS:
            adapter_class = find_object(TARGETS[target], f"The target {target}")
            adapter: ExecutionAdapter = adapter_class(**options)
            return adapter
        known = ", ".join(TARGETS)
        if target in PLANNED:
            raise ConfigurationError(
                f"The target {target} is not there yet: this version of Osiris cannot run in {PLANNED[target]}.",
                hint=f"Run with one of these targets: {known}.",
            )
        raise ConfigurationError(f"There is no target {target!r}.", hint=f"Targets: {known}.")
