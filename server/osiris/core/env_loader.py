"""Environment variables for connections and parameters: the real environment, and a `.env` file behind it.

The process environment is never changed: what stands in a workspace's ``.env`` reaches nothing but ``${VAR}`` in
osiris_connections.yaml and ``OSIRIS_PARAM_*``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from osiris.core.dotenv import DotenvProblem, read_dotenv
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.files import is_inside, read_error
from osiris.language.project_file_names import DOTENV_FILE
from osiris.syntax.text import LineIndex

MAX_DOTENV_BYTES = 1024 * 1024

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"\$\{(?P<name>[^{}]*?)(?::-(?P<default>[^}]*))?\}")


@dataclass(frozen=True, slots=True)
class EnvProblem:
    """A line of a `.env` file that says nothing usable. ``line`` is 1-based."""

    line: int
    message: str


@dataclass(frozen=True)
class EnvSource(Mapping[str, str]):
    """The variables a project may refer to. The real environment wins over the file."""

    real: Mapping[str, str] = field(repr=False)
    file: Mapping[str, str] = field(repr=False)
    path: Path | None = None
    problems: tuple[EnvProblem, ...] = ()

    def __getitem__(self, name: str) -> str:
        """The value of a variable. Raises KeyError when it is set nowhere."""
        return self.real[name] if name in self.real else self.file[name]

    def __iter__(self) -> Iterator[str]:
        """Every name once, sorted."""
        return iter(sorted({*self.real, *self.file}))

    def __len__(self) -> int:
        """How many different names there are."""
        return len({*self.real, *self.file})

    def origin(self, name: str) -> Literal["environment", ".env"] | None:
        """Where the value comes from: ``environment``, ``.env`` or None."""
        if name in self.real:
            return "environment"
        return ".env" if name in self.file else None


def load_env(root: Path | None, environ: Mapping[str, str] | None = None) -> EnvSource:
    """The variables of the project in ``root``: ``environ`` (default: the process environment) and ``root/.env``.

    A line that cannot be read is listed in ``problems`` and skipped. Raises ConfigurationError when the file is there
    but cannot be read, is no regular file, is not text, is larger than 1 MB, or is a link that leads out of ``root``.
    """
    real = os.environ if environ is None else environ
    path = root / DOTENV_FILE if root is not None else None
    if root is None or path is None or not os.path.lexists(path):
        return EnvSource(dict(real), {}, None)
    try:
        if path.is_dir():
            return EnvSource(dict(real), {}, None)  # a virtual environment may carry that name
        if not is_inside(path, root):
            raise ConfigurationError(
                f"{path} is a link that leads out of the project, and is not read.",
                hint="Set the variables in the environment, or in a .env file of the project itself.",
            )
        if not path.is_file():
            raise ConfigurationError(f"{path} is not a regular file (it is a device, pipe, socket or broken link).")
        if path.stat().st_size > MAX_DOTENV_BYTES:
            raise ConfigurationError(f"{path} is larger than {MAX_DOTENV_BYTES // 2**20} MB, as no .env file is.")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise read_error(path, error) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not a text file in UTF-8.", hint="Save it as UTF-8.") from None
    values, problems = parse_dotenv(text)
    return EnvSource(dict(real), values, path, tuple(problems))


def parse_dotenv(text: str) -> tuple[dict[str, str], list[EnvProblem]]:
    """The variables in the text of a `.env` file, and the lines that hold none.

    See ``osiris.core.dotenv`` for what it may say. Of two lines with one name the last counts.
    """
    values: dict[str, str] = {}
    problems: list[EnvProblem] = []
    lines = LineIndex(text)
    for found in read_dotenv(text):
        if isinstance(found, DotenvProblem):
            problems.append(EnvProblem(lines.line_of(found.span.start) + 1, found.message))
        else:
            values[found.name] = found.value
    return values, problems


def variables_in(text: str) -> list[str]:
    """The names of the variables that ``text`` refers to as ``${VAR}`` or ``${VAR:-default}``, in order."""
    return [match["name"] for match in _REFERENCE.finditer(text)]


def values_in(text: str, env: Mapping[str, str]) -> list[tuple[str, str]]:
    """The variables that ``text`` refers to, as :func:`resolve_value` fills them in: names with values."""
    return [
        (match["name"], env.get(match["name"], "") or match["default"] or "") for match in _REFERENCE.finditer(text)
    ]


def without_references(text: str) -> str:
    """``text`` without its references to variables: what is written in plain."""
    return _REFERENCE.sub("", text)


def resolve_value(text: str, env: Mapping[str, str], *, field: str = "", where: str = "", file: str = "") -> str:
    """``text`` with each ``${VAR}`` and ``${VAR:-default}`` replaced, once: what a variable holds is not looked into.

    A variable that is empty counts as not set, so its default applies. ``field``, ``where`` ("family.alias") and
    ``file`` name the place in errors. Raises ConfigurationError when a variable is not set and has no default, or a
    reference is malformed; the message never holds a value.
    """
    place = (f" for {field}" if field else "") + (f" of {where}" if where else "") + (f" in {file}" if file else "")

    if "${" in without_references(text):
        raise ConfigurationError(
            f"The reference to a variable{place} is not closed.", hint="Write ${NAME} or ${NAME:-default}."
        )

    problems = env.problems if isinstance(env, EnvSource) else ()

    def replacement(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"${{{name}}}{place} is not a reference to a variable.",
                hint="Write ${NAME} or ${NAME:-default}; a name has letters, digits and _ only.",
            )
        value = env.get(name, "")
        if value:
            return value
        if default is not None:
            return default
        state = "is empty" if name in env else "is not set"
        unread = "".join(f" Line {p.line} of {DOTENV_FILE} cannot be read: {p.message}" for p in problems[:1])
        raise ConfigurationError(
            f"The environment variable {name} {state}, but it is needed{place}.",
            hint=f"Set {name} in the environment or in .env"
            + (f"; write ${{{name}:-}} if an empty value is meant." if name in env else ".")
            + unread,
        )

    return _REFERENCE.sub(replacement, text)
