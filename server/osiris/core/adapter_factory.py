"""Choose where a manifest runs, by name."""

from __future__ import annotations

from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionAdapter
from osiris.core.lookup import find_object

# Looked up by name, since adapters belong to a later layer.
TARGETS = {
    "local": "osiris.execution.local:LocalAdapter",
    "e2b": "osiris.execution.e2b.adapter:E2BTransparentProxy",
}


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
        raise ConfigurationError(f"There is no target {target!r}.", hint=f"Targets: {known}.")
