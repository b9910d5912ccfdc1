"""What carries out a step, and where it is found."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.core.lookup import find_object, require_packages
from osiris.language.suggest import nearest

if TYPE_CHECKING:
    from osiris.components.registry import ComponentRegistry


@runtime_checkable
class Driver(Protocol):
    """Carries out the steps of one component."""

    def run(
        self,
        step_id: str,
        config: dict[str, Any],
        inputs: dict[str, Any] | None,
        ctx: ExecutionContext,
    ) -> dict[str, Any]:
        """Execute a pipeline step.

        ``config`` is the step's configuration with its connection resolved under ``connection``; ``inputs`` holds
        what earlier steps yielded, by table name (``df_<step>``), and ``df`` when there is exactly one. The result is
        ``{"df": data}`` for a step that yields data, else ``{}``. Raises an OsirisError when the step cannot be done.
        """


class DriverRegistry:
    """The drivers of this process: those registered by hand, then those that the component specs name."""

    _registered: ClassVar[dict[str, Driver]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def register(cls, name: str, driver: Driver) -> None:
        """Register a driver implementation for the component ``name``, in place of any it had."""
        with cls._lock:
            cls._registered[name] = driver

    @classmethod
    def unregister(cls, name: str) -> None:
        """Forget what was registered for ``name``; what its component spec names counts again."""
        with cls._lock:
            cls._registered.pop(name, None)

    @classmethod
    def get(cls, name: str) -> Driver:
        """Retrieve registered driver, else a new object of the class that the component spec of ``name`` names.

        Nothing is imported before it is asked for. Raises ConfigurationError when there is no such component, when it
        has no driver yet, and when a package that the driver needs is not installed.
        """
        registered = cls._registered.get(name)
        if registered is not None:
            return registered
        registry = _components()
        spec = registry.get(name)
        if spec is None:
            raise _unknown(name, [*registry.names(), *cls._registered])
        if spec.driver is None:
            raise ConfigurationError(
                f"The component {name} has no driver in this version of Osiris yet: "
                "pipelines that use it can be checked and compiled, but not run.",
                hint=f"Runnable components: {', '.join(cls.runnable())}.",
                code="OML612",
            )
        require_packages(spec.requirements.get("imports") or (), f"The driver of {name}")
        driver_class = find_object(spec.driver, f"The driver of {name}")
        driver: Driver = driver_class()
        return driver

    @classmethod
    def for_step(cls, component: str, driver: str | None) -> Driver:
        """The driver of a manifest's step, whose ``driver`` must be the one that the component spec names.

        What a manifest says is never imported by itself: a manifest from elsewhere could name any code. Raises
        ConfigurationError as ``get`` does, and when the two differ.
        """
        spec = _components().get(component)
        if component not in cls._registered and spec is not None and spec.driver is not None and driver != spec.driver:
            raise ConfigurationError(
                f"The manifest names {driver or 'no driver'} for the component {component}; here it is {spec.driver}.",
                hint="Compile the pipeline again with this version of Osiris.",
            )
        return cls.get(component)

    @classmethod
    def runnable(cls) -> list[str]:
        """The names of all components that have a driver, sorted; none is imported."""
        registry = _components()
        named = {name for name in registry.names() if (spec := registry.get(name)) is not None and spec.driver}
        return sorted(named | cls._registered.keys())


def _components() -> ComponentRegistry:
    from osiris.components.registry import ComponentRegistry

    return ComponentRegistry.builtin()


def _unknown(name: str, known: list[str]) -> ConfigurationError:
    close = nearest(name, known)
    return ConfigurationError(
        f"There is no component {name}, and no driver is registered under that name.",
        hint=f"Did you mean {close}?" if close else f"Known components: {', '.join(sorted(set(known)))}.",
    )
