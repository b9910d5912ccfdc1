"""A settings file of a project: its text, read again only when it changed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.files import is_inside
from osiris.core.project_scan import Signature, signature
from osiris.core.source import read_source
from osiris.syntax.diagnostic import Diagnostic


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """osiris.yaml or osiris_connections.yaml with its findings; ``problem`` says why it could not be read at all."""

    path: Path
    text: str
    diagnostics: tuple[Diagnostic, ...]
    problem: str | None = None


class WatchedFile:
    """The text of one settings file, read again only when it changed.

    ``text`` is None when there is no file, or when ``problem`` says why it cannot be read. ``generation`` counts the
    changes.
    """

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        self._name = str(path)
        self.text: str | None = None
        self.problem: str | None = None
        self.generation = 0
        self._signature: Signature | str | None = "never looked"

    def look(self, overlay: str | None) -> bool:
        """Bring ``text`` up to date; True when it changed. An overlay counts as the file's text."""
        if overlay is not None:
            if self._signature == "overlay" and overlay == self.text:
                return False
            self._set("overlay", overlay, None)
            return True
        try:
            now: Signature | None = signature(os.stat(self._name))
        except OSError:
            # A broken link is there, and read_source says what is wrong with it.
            now = (0, 0, 0) if os.path.islink(self._name) else None
        if now == self._signature:
            return False
        text, problem = (None, None) if now is None else self._read()
        self._set(now, text, problem)
        return True

    def _set(self, state: Signature | str | None, text: str | None, problem: str | None) -> None:
        self._signature, self.text, self.problem = state, text, problem
        self.generation += 1

    def _read(self) -> tuple[str | None, str | None]:
        if not is_inside(self.path, self.root):
            return None, f"{self.path.name} is a link that leads out of the project, and is not read."
        try:
            return read_source(self.path, shown=self.path.name), None
        except ConfigurationError as problem:
            return None, str(problem)
