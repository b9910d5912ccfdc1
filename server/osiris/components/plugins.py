"""Finds the specs of installed plug-ins without importing any of their code."""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Container
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from osiris.components.spec_file import SpecError


@dataclass(frozen=True, slots=True)
class SpecPlace:
    """Where the spec of a plug-in's component is: in ``package``, of the distribution ``source``."""

    name: str
    package: str
    source: str
    search: tuple[str, ...]

    def path(self) -> Path:
        """The file that holds the spec.

        Raises:
            SpecError: the package or the file is not there.
        """
        folder = _folder_of(self.package, self.search)
        if folder is None:
            raise SpecError(
                f"The package {self.source} offers the component {self.name}, "
                f"but its folder {self.package!r} is not installed. Reinstall {self.source}."
            )
        path = folder / f"{self.name}.yaml"
        if not path.is_file():
            raise SpecError(
                f"The package {self.source} offers the component {self.name}, "
                f"but {self.package!r} holds no file {path.name}."
            )
        return path


def installed(group: str, *, taken: Container[str]) -> tuple[dict[str, SpecPlace], dict[str, str]]:
    """The components of installed plug-ins by name, and what is wrong with some, by component name.

    A name that is ``taken`` (built in) stays so; of two plug-ins with one name the first by distribution name counts.
    """
    search = tuple(_search_path())
    found = sorted(
        (entry.name, distribution.metadata["Name"] or "?", entry.value)
        for distribution in metadata.distributions(path=list(search))
        for entry in distribution.entry_points
        if entry.group == group
    )
    places: dict[str, SpecPlace] = {}
    problems: dict[str, str] = {}
    for name, source, value in found:
        if name in taken:
            problems[name] = f"The package {source} also offers {name}, which is built in; the built-in one is used."
        elif name not in places:
            places[name] = SpecPlace(name, value.partition(":")[0].strip(), source, search)
        elif places[name].source != source:
            problems[name] = (
                f"The packages {places[name].source} and {source} both offer {name}; "
                f"the one of {places[name].source} is used. Uninstall one of them."
            )
    return places, problems


def _search_path() -> list[str]:
    """The import path without the current folder: what lies in a workspace is not installed."""
    here = os.path.realpath(os.getcwd())
    return [entry for entry in dict.fromkeys(sys.path) if entry and os.path.realpath(entry) != here]


def _folder_of(package: str, search: tuple[str, ...]) -> Path | None:
    """The folder of a package, found as the import system would find it, but without running its ``__init__``."""
    top, *rest = package.split(".")
    spec = importlib.machinery.PathFinder.find_spec(top, list(search))
    if spec is None:
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(top, None) if find else None
            if spec is not None:
                break
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location, *rest)
        if folder.is_dir():
            return folder
    return None
