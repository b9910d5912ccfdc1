"""Find an object by its name "module:Name", and say which extra of the distribution is missing when it is not there."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterable
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError

DISTRIBUTION = "osiris-oml"
_EXTRA = re.compile(r"""^(?P<need>(?P<package>[\w.-]+)[^;]*);.*\bextra\s*==\s*['"](?P<extra>[\w-]+)['"]""")


class MissingPackageError(ConfigurationError):
    """A Python package is not installed. ``extra`` is the extra of the distribution that brings it, if one does."""

    default_code = "OML613"

    def __init__(self, message: str, *, package: str) -> None:
        super().__init__(message, hint=f"Install it: {install_command(package)}")
        self.package = package
        self.extra = _extra_of(package)[0]


def install_command(package: str) -> str:
    """The exact command that brings ``package``, with all else that its extra of the distribution brings.

    It names the packages and not the extra, so that it works whatever Osiris itself was installed from.
    """
    needs = _extra_of(package)[1]
    return "pip install " + " ".join(f'"{need}"' if re.search(r"[<>=\[]", need) else need for need in needs)


def _extra_of(package: str) -> tuple[str | None, list[str]]:
    """The smallest extra that brings ``package``, and all that it brings; the package alone where none does."""
    needs: dict[str, list[str]] = {}
    having: list[str] = []
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for line in importlib.metadata.requires(DISTRIBUTION) or ():
            if match := _EXTRA.match(line):
                needs.setdefault(match["extra"], []).append(match["need"].strip())
                if match["package"] == package:
                    having.append(match["extra"])
    extra = min(having, key=lambda name: len(needs[name]), default=None)
    return (None, [package]) if extra is None else (extra, needs[extra])


def missing_package(error: ModuleNotFoundError, needed_for: str) -> MissingPackageError:
    """The error that names what ``needed_for`` misses and the command that brings it."""
    package = (error.name or str(error)).partition(".")[0]
    message = f"{needed_for} needs the Python package {package}, which is not installed here."
    return MissingPackageError(message, package=package)


def require_packages(imports: Iterable[str], needed_for: str) -> None:
    """Raise the ConfigurationError of ``missing_package`` for the first of ``imports`` that is not installed.

    Imports nothing.
    """
    for name in imports:
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            raise missing_package(ModuleNotFoundError(name=name), needed_for)


def find_object(target: str, needed_for: str) -> Any:
    """The object that ``target`` ("package.module:Name") names.

    ``needed_for`` begins the message of the ConfigurationError that is raised when the module, a package it imports,
    or the name is missing.
    """
    module_name, _, name = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            message = f"{needed_for} is not part of this installation: there is no {module_name}."
            raise ConfigurationError(message) from None
        raise missing_package(error, needed_for) from None
    try:
        return getattr(module, name)
    except AttributeError:
        raise ConfigurationError(f"{needed_for} is broken: there is no {name!r} in {module_name}.") from None
