"""Choose where a manifest runs, by name."""

from __future__ import annotations

from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionAdapter
from osiris.core.lookup import find_object
from osiris.core.targets import HERE, TARGETS


class AdapterFactory:
    """Makes execution adapters."""

    @staticmethod
    def create(target: str = HERE, **options: Any) -> ExecutionAdapter:
        """A new adapter for ``target``; ``options`` go to its constructor.

        Raises ConfigurationError when there is no such target or a part of it is missing here.
        """
        if target in TARGETS:
            adapter_class = find_object(TARGETS[target].adapter, f"The target {target}")
            adapter: ExecutionAdapter = adapter_class(**options)
            return adapter
        known = ", ".join(TARGETS)
        raise ConfigurationError(f"There is no target {target!r}.", hint=f"Targets: {known}.")
