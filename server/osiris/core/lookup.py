"""Find an object by its name "module:Name", and say which extra of the distribution is missing when it is not there."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError

DISTRIBUTION = "osiris-oml"

# The package that an import misses -> the extra that brings it.
EXTRAS = {
    "duckdb": "run",
    "pyarrow": "run",
    "sqlalchemy": "run",
    "sqlglot": "run",
}


def install_command(extra: str) -> str:
    """The exact command that brings an extra."""
    return f'pip install "{DISTRIBUTION}[{extra}]"'


def missing_package(error: ModuleNotFoundError, needed_for: str) -> ConfigurationError:
    """The error that names what ``needed_for`` misses and the command that brings it."""
    package = (error.name or str(error)).partition(".")[0]
    extra = EXTRAS.get(package)
    command = install_command(extra) if extra else f"pip install {package}"
    return ConfigurationError(
        f"{needed_for} needs the Python package {package}, which is not installed here.",
        hint=f"Install it: {command}",
        code="OML613",
    )


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
