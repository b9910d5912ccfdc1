"""Moving a secret out of a file into ``.env``. What is made here holds the secret: it is for the editor alone, and only
when the user has chosen it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from osiris.core.env_loader import parse_dotenv
from osiris.ide.tree_place import scalar_at
from osiris.language.edits import append_lines
from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.document import Document

_WITH_DEFAULT = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*:-(.*)\}", re.DOTALL)
_PLAIN = re.compile(r"[^\s#'\"\\]+")


def secret_of(document: Document, diagnostic: Diagnostic, fix: Fix) -> str | None:
    """The value that the fix of a finding takes away and its variable must get; None where that is not certain."""
    scalar = scalar_at(document, diagnostic.span.start) if fix.variable else None
    if scalar is None or not scalar.text.strip():
        return None
    default = _WITH_DEFAULT.fullmatch(scalar.text)
    value = default[1] if default else scalar.text
    return None if "${" in value or "\0" in value else value


def is_set_otherwise(variables: Mapping[str, str], name: str, value: str) -> bool:
    """Whether the variable has another value already, so that the secret cannot have its name."""
    return bool(variables.get(name)) and variables[name] != value


def dotenv_edit(text: str, name: str, value: str) -> tuple[TextEdit, ...] | None:
    """What sets a variable at the end of a ``.env`` file; nothing where it is set so already. None where a line at
    the end would not be read as meant."""
    known, _ = parse_dotenv(text)
    if known.get(name) == value:
        return ()
    edit = append_lines(text, f"{name}={_quoted(value)}\n")
    found, _ = parse_dotenv(text + edit.new_text)
    others = {key: one for key, one in found.items() if key != name}
    if found.get(name) != value or others != {key: one for key, one in known.items() if key != name}:
        return None
    return (edit,)


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value and "\n" not in value and "\r" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def ignore_edit(text: str, name: str) -> TextEdit:
    """A line for ``name`` at the end of a ``.gitignore`` file."""
    return append_lines(text, f"{name}\n")
