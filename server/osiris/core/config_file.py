"""Read osiris.yaml and osiris_connections.yaml with positions, so that what is wrong in them has a place."""

from __future__ import annotations

import os
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from pathlib import Path

from osiris.components.registry import ComponentRegistry
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.settings import (
    BY_KEY,
    CONFIG_FILE,
    CONNECTIONS_FILE,
    SECTIONS,
    SEVERITY_SECTION,
    SEVERITY_WORDS,
    Setting,
    Value,
    read_setting,
)
from osiris.core.source import read_source
from osiris.language.connections import Connection, ConnectionProblem, Connections, parse_connections
from osiris.language.findings import finding, replacement
from osiris.language.suggest import nearest
from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import Diagnostic, Fix, Severity
from osiris.syntax.document import parse
from osiris.syntax.text import LineIndex, Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, to_plain

_SEVERITIES: MappingType[str, Severity | None] = {
    "error": Severity.ERROR,
    "warning": Severity.WARNING,
    "information": Severity.INFORMATION,
    "info": Severity.INFORMATION,
    "hint": Severity.HINT,
    "off": None,
}


@dataclass(frozen=True)
class ConfigFile:
    """What osiris.yaml says. ``values`` has only what is written and usable, by dotted key."""

    values: MappingType[str, Value] = field(default_factory=dict)
    severities: MappingType[str, Severity | None] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    text: str = ""
    path: str = CONFIG_FILE

    def raise_errors(self) -> None:
        """Raise ConfigurationError with file, line and column when something in the file cannot be used."""
        raise_first_error(self.diagnostics, self.text, self.path)


def raise_first_error(diagnostics: tuple[Diagnostic, ...], text: str, path: str) -> None:
    """Raise ConfigurationError for the first error among ``diagnostics``: ``file:line:column: message``."""
    errors = [finding for finding in diagnostics if finding.severity == Severity.ERROR]
    if errors:
        line, column = LineIndex(text).line_column(errors[0].span.start)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise ConfigurationError(f"{path}:{line + 1}:{column + 1}: {errors[0].message}{more}", code=errors[0].code)


def read_config_file(path: Path) -> ConfigFile:
    """The osiris.yaml at ``path``; one without anything when it is missing. Raises ConfigurationError if unreadable."""
    if not os.path.lexists(path):
        return ConfigFile()
    return parse_config(read_source(path), str(path))


def parse_config(text: str, path: str = CONFIG_FILE) -> ConfigFile:
    """The settings in the text of an osiris.yaml. Never raises: what is wrong is among the diagnostics."""
    document = parse(text)
    reader = _Reader(list(document.diagnostics))
    root = document.root()
    if isinstance(root, Mapping):
        for entry in root.entries:
            reader.top(entry)
    elif not document.empty:
        reader.add("OML102", root.span, "osiris.yaml is a map of settings, not a list or a text.")
    found = tuple(sorted(reader.diagnostics, key=lambda d: (d.span, d.code)))
    return ConfigFile(reader.values, reader.severities, found, text, path)


class _Reader:
    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        self.diagnostics = diagnostics
        self.values: dict[str, Value] = {}
        self.severities: dict[str, Severity | None] = {}

    def add(self, code: str, span: Span, message: str, fix: Fix | None = None) -> None:
        self.diagnostics.append(finding(code, span, message, fix))

    def top(self, entry: Entry) -> None:
        key = entry.key.text
        if key == SEVERITY_SECTION:
            for inner in self._entries(entry):
                if inner.key.text == "severity":
                    self._severities(inner)
                else:
                    self._unknown(inner, SEVERITY_SECTION, ("severity",))
        elif key in SECTIONS:
            for inner in self._entries(entry):
                setting = BY_KEY.get(f"{key}.{inner.key.text}")
                if setting is None:
                    self._unknown(inner, key, SECTIONS[key])
                else:
                    self._setting(setting, inner.value)
        elif key in BY_KEY:
            self._setting(BY_KEY[key], entry.value)
        elif not key.startswith("x-"):
            tops = tuple(name for name in BY_KEY if "." not in name)
            self._unknown(entry, "", (*tops, *SECTIONS, SEVERITY_SECTION))

    def _entries(self, entry: Entry) -> tuple[Entry, ...]:
        if isinstance(entry.value, Mapping):
            return entry.value.entries
        if not _absent(entry.value):
            self.add("OML104", entry.value.span, f"{entry.key.text} is a map of settings.")
        return ()

    def _setting(self, setting: Setting, node: Node) -> None:
        if _absent(node):
            return  # a key without a value means its default
        value = node.text if setting.kind == "any" and isinstance(node, Scalar) else to_plain(node)
        try:
            self.values[setting.key] = read_setting(setting, value)
        except ValueError as error:
            fix = _choice(node.span, node.text, setting.choices) if isinstance(node, Scalar) else None
            self.add("OML104", node.span, f"{setting.key} cannot be used: {error}.", fix)

    def _severities(self, entry: Entry) -> None:
        for inner in self._entries(entry):
            code, word = inner.key.text, str(inner.value.text) if isinstance(inner.value, Scalar) else ""
            known = CODES.get(code)
            if known is None:
                close = nearest(code, CODES)
                mend = f"Did you mean {close}?" if close else "docs/diagnostics.md has the codes."
                self.add(
                    "OML107", inner.key.span, f"There is no finding {code}. {mend}", _instead(inner.key.span, close)
                )
            elif not known.configurable:
                self.add("OML107", inner.key.span, f"{code} ({known.title}) is always an error; this is ignored.")
            elif word not in _SEVERITIES:
                words, span = ", ".join(SEVERITY_WORDS), inner.value.span
                self.add(
                    "OML104", span, f"The severity of {code} is one of {words}.", _choice(span, word, SEVERITY_WORDS)
                )
            else:
                self.severities[code] = _SEVERITIES[word]

    def _unknown(self, entry: Entry, section: str, known: tuple[str, ...]) -> None:
        key = entry.key.text
        where = f"a setting of {section}" if section else "a setting of osiris.yaml"
        close = nearest(key, known)
        mend = f"Did you mean {close}?" if close else "It is ignored."
        self.add("OML107", entry.key.span, f"{key} is not {where}. {mend}", _instead(entry.key.span, close))


def _instead(span: Span, name: str | None) -> Fix | None:
    return replacement(f"Replace by {name}", span, name, preferred=True) if name else None


def _choice(span: Span, word: str, choices: tuple[str, ...]) -> Fix | None:
    return _instead(span, nearest(word, choices)) if word and choices else None


def _absent(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def read_connections_file(path: Path) -> Connections | None:
    """The connections at ``path``; None when there is no such file.

    Raises ConfigurationError when it cannot be read, or with the place when it is not understood. What is wrong in one
    connection alone is the ``fault`` of that one, and raises when it is used.
    """
    if not os.path.lexists(path):
        return None
    text = read_source(path)
    connections = parse_connections(text, ComponentRegistry.builtin())
    raise_first_error(connections.file_errors, text, str(path))
    return connections


def choose_connection(connections: Connections | None, reference: str) -> Connection:
    """The connection that ``@family.alias``, or ``@family`` for its default, names.

    Raises ConfigurationError when there is no connections file, or no such family or alias.
    """
    if connections is None:
        raise ConfigurationError(
            f"The connection {reference} is needed, but the project has no {CONNECTIONS_FILE}.",
            hint=f"Make {CONNECTIONS_FILE} beside osiris.yaml: connections: {{family: {{alias: {{...}}}}}}.",
        )
    family, _, alias = reference.removeprefix("@").partition(".")
    chosen = connections.choose(family, alias or None)
    if isinstance(chosen, ConnectionProblem):
        raise ConfigurationError(chosen.message, hint=f"Look into {CONNECTIONS_FILE}.")
    return chosen
