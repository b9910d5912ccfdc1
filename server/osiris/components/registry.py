"""The components there are: the built-in specs and those of installed plug-ins. Each spec is read when first asked for.

A plug-in is an installed distribution with entry points in the group ``osiris.components``. The *name* of an entry
point is the name of the component, its *value* the package that holds ``<component name>.yaml`` beside its code::

    [project.entry-points."osiris.components"]
    "acme.extractor" = "acme_osiris.specs"

Reading such a spec runs no code of the plug-in; only its driver (``x-runtime: {driver: "module:Class"}``) is code, and
it is imported when a step runs. Only what is installed in the running Python counts: the current folder is left out,
so that a workspace can never bring a component of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from osiris.components.spec import ComponentSpec, Mode, spec_from_data
from osiris.components.spec_file import SpecError as SpecError
from osiris.components.spec_file import read_yaml as read_yaml

ENTRY_POINTS = "osiris.components"
_BUILTIN = Path(__file__).parent / "specs"


def read_spec(path: Path, *, source: str = "osiris", trusted: bool = False) -> ComponentSpec:
    """The spec in a YAML file; a ``trusted`` one (built in, and tested) is not checked again.

    Raises:
        SpecError: the file cannot be read or does not hold a sound spec.
    """
    from osiris.components.meta import spec_problems

    data = read_yaml(path, trusted=trusted)
    problems = [] if trusted else spec_problems(data)
    if not problems and data["name"] != path.name.removesuffix(".yaml"):
        problems = [f"name: is {data['name']!r}, but the file is called {path.name!r}"]
    if problems:
        raise SpecError(f"The component spec {path.name} of {source} is not sound: " + "; ".join(problems))
    return spec_from_data(data, source)


class ComponentRegistry:
    """Specs by component name. Nothing is read before it is asked for; every answer is kept.

    ``folder`` holds ``<name>.yaml`` files; ``plugins`` says whether installed plug-ins count as well.
    """

    def __init__(self, folder: Path | None = None, *, plugins: bool = True) -> None:
        self._files = {path.name.removesuffix(".yaml"): path for path in sorted((folder or _BUILTIN).glob("*.yaml"))}
        self._trusted = folder is None
        self._plugins = plugins
        self._specs: dict[str, ComponentSpec | None] = {}
        self._problems: dict[str, str] = {}

    @classmethod
    def builtin(cls) -> ComponentRegistry:
        """The registry of this installation; the same object every time."""
        return _builtin()

    @classmethod
    def of(cls, *specs: ComponentSpec) -> ComponentRegistry:
        """A registry that holds just these specs."""
        registry = cls(plugins=False)
        registry._files = {}
        registry._specs = {spec.name: spec for spec in specs}
        return registry

    def names(self) -> tuple[str, ...]:
        """The names of all components, sorted. Reads no spec."""
        return tuple(sorted({*self._files, *self._specs_of_plugins, *(n for n, s in self._specs.items() if s)}))

    def get(self, name: str) -> ComponentSpec | None:
        """The spec of this name; None when there is none, or when it cannot be used (see :meth:`problem`)."""
        if name not in self._specs:
            self._specs[name] = self._read(name)
        return self._specs[name]

    def specs(self) -> Iterator[ComponentSpec]:
        """All usable specs by name. Reads every one."""
        for name in self.names():
            spec = self.get(name)
            if spec is not None:
                yield spec

    def specs_for(self, mode: Mode) -> tuple[ComponentSpec, ...]:
        """The components that a step with this mode may use, by name."""
        return tuple(spec for spec in self.specs() if mode in spec.modes)

    def specs_of(self, family: str) -> Iterator[ComponentSpec]:
        """The usable specs of one family by name. Reads no other."""
        for name in self.names():
            if name.partition(".")[0] == family and (spec := self.get(name)) is not None:
                yield spec

    def families(self) -> tuple[str, ...]:
        """The families whose components take a connection, sorted."""
        return tuple(sorted({spec.family for spec in self.specs() if spec.takes_connection}))

    def connection_fields(self, family: str) -> dict[str, Mapping[str, Any]]:
        """What a connection of this family may hold: field to its schema (``x-secret: true`` on secrets)."""
        fields: dict[str, Mapping[str, Any]] = {}
        for spec in self.specs_of(family):
            for item in spec.connections:
                shape = {**item.schema, "x-secret": True} if item.secret else item.schema
                fields.setdefault(item.name, shape)
        return fields

    def required_of_connections(self, family: str, given: Container[str] = ()) -> tuple[str, ...]:
        """The fields that every component of the family needs and that no step may set itself.

        Without those that are not needed beside the fields that are ``given``.
        """
        wanted = [
            {
                key
                for key in spec.required
                if spec.connection_fields.get(key) == "forbidden" and spec.unless.get(key) not in given
            }
            for spec in self.specs_of(family)
            if spec.takes_connection
        ]
        common = set.intersection(*wanted) if wanted else set()
        return tuple(name for name in self.connection_fields(family) if name in common)

    def fingerprint(self, name: str) -> str | None:
        """The fingerprint of a component's spec, None when there is no such component."""
        spec = self.get(name)
        return spec.fingerprint if spec else None

    def file_of(self, name: str) -> Path | None:
        """The file that holds the spec of a component; None when there is none, or it cannot be found."""
        if name in self._files:
            return self._files[name]
        place = self._specs_of_plugins.get(name)
        try:
            return place.path() if place else None
        except SpecError:
            return None

    def problem(self, name: str) -> str | None:
        """Why the component of this name cannot be used although something of that name is installed."""
        self.get(name)
        return self._problems.get(name)

    def problems(self) -> tuple[str, ...]:
        """All that is wrong with installed specs, by component name. Reads every spec."""
        for name in self.names():
            self.get(name)
        return tuple(self._problems[name] for name in sorted(self._problems))

    def _read(self, name: str) -> ComponentSpec | None:
        try:
            if name in self._files:
                return read_spec(self._files[name], trusted=self._trusted)
            place = self._specs_of_plugins.get(name)
            return read_spec(place.path(), source=place.source) if place else None
        except SpecError as error:
            self._problems[name] = str(error)
            return None

    @functools.cached_property
    def _specs_of_plugins(self) -> Mapping[str, Any]:
        if not self._plugins:
            return {}
        from osiris.components.plugins import installed

        places, problems = installed(ENTRY_POINTS, taken=self._files)
        self._problems.update(problems)
        return places


@functools.cache
def _builtin() -> ComponentRegistry:
    return ComponentRegistry()
