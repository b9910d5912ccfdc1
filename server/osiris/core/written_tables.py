"""Which pipelines of a project write a table or a file: asked only about what is not there, so it costs nothing else.

For a table, only a file that has its name as a value, or a table in words that only an analysis understands, is
analysed: once, until it changes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.project_scan import FoundPipeline, Signature, signature
from osiris.core.source import read_source
from osiris.language.environment import StaticEnvironment

if TYPE_CHECKING:
    from osiris.components.registry import ComponentRegistry
    from osiris.language.connections import Connection, Connections

# Lines that say what is written and where. An edit of another line is no reason to ask again.
_TELLING = re.compile(
    r"""^[ \t-]*(?:\{|["']?(?:config|component|connection|mode|table|schema|database|path|params|default)\b).*$""",
    re.MULTILINE,
)
# A table by a parameter, an alias, or on other lines than its key.
_HIDDEN_NAME = re.compile(r"""\btable["']?[ \t]*:(?:[ \t]*(?:[>|&*!#]|\r?$)|.*\$\{)""", re.MULTILINE)

_Table = tuple[str, str, str]
"""The reference of a connection, the schema (empty: the default one) and the table, in lower case."""


@dataclass(slots=True)
class _File:
    """What was read of a file: its text, the same in lower case, and its telling lines.

    ``hides_names``: it may write tables that cannot be looked for. ``written`` is None until it was analysed;
    ``files`` are the files that it writes then. All is empty where nothing is written.
    """

    mark: Signature | str
    text: str
    lowered: str
    telling: list[str]
    hides_names: bool = False
    written: frozenset[_Table] | None = None
    files: frozenset[str] = frozenset()

    def may_write(self, table: str) -> bool:
        """Whether the file may write a table of that name."""
        if self.hides_names or table not in self.lowered:
            return self.hides_names
        value = rf""":[ \t]*["']?{re.escape(table)}["']?[ \t]*(?:[,}}#]|\r?$)"""
        return re.search(value, self.lowered, re.MULTILINE) is not None


class WrittenTables:
    """The tables that the pipelines of one project write. Not for several threads at once: the project guards it."""

    def __init__(self, root: Path) -> None:
        """Nothing is read before something is asked for."""
        self._root = root
        self._files: dict[str, _File] | None = None
        self.generation = 0
        """Another number when an answer may be another one."""

    def look(self, found: Sequence[FoundPipeline], overlay: Callable[[str], str | None]) -> None:
        """Bring what is known up to date with the pipelines ``found``, once something was asked for."""
        if self._files is None:
            return
        before, self._files = self._files, {}
        for pipeline in found:
            file = self._read(pipeline.path, overlay(pipeline.path), before.get(pipeline.path))
            if file is not None:
                self._files[pipeline.path] = file
        if {p: f.telling for p, f in before.items()} != {p: f.telling for p, f in self._files.items()}:
            self.generation += 1

    def writers(
        self,
        connection: Connection,
        schema: str | None,
        table: str,
        *,
        but_for: str | None,
        found: Sequence[FoundPipeline],
        overlay: Callable[[str], str | None],
        connections: Connections | None,
        registry: ComponentRegistry,
    ) -> list[str]:
        """The paths of the pipelines among ``found``, except ``but_for``, with a step that writes the table, sorted.

        ``schema`` None is the default one. It counts under which profile ever it is written.
        """
        files = self._asked(found, overlay)
        wanted = (connection.reference, (schema or "").casefold(), table.casefold())
        writers = []
        for path, file in files.items():
            if path == but_for or not file.may_write(wanted[2]):
                continue
            if wanted in _analysed(file, registry, connections):
                writers.append(path)
        return sorted(writers)

    def file_writers(
        self,
        pattern: str,
        *,
        but_for: str | None,
        found: Sequence[FoundPipeline],
        overlay: Callable[[str], str | None],
        connections: Connections | None,
        registry: ComponentRegistry,
    ) -> list[str]:
        """The same for pipelines that write a file that fits ``pattern`` (normalised, relative to the root)."""
        writers = []
        for path, file in self._asked(found, overlay).items():
            if path != but_for and file.text:
                _analysed(file, registry, connections)
                if any(fnmatchcase(written, pattern) for written in file.files):
                    writers.append(path)
        return sorted(writers)

    def _asked(self, found: Sequence[FoundPipeline], overlay: Callable[[str], str | None]) -> Mapping[str, _File]:
        """What is known of every pipeline, looked at when it is asked for the first time."""
        if self._files is None:
            self._files = {}
            self.look(found, overlay)
            self.generation = 0  # no answer was given before this one
        return self._files

    def forget_connections(self) -> None:
        """The connections are others now, so that every file is to be analysed again."""
        for file in (self._files or {}).values():
            file.written = None

    def _read(self, path: str, open_text: str | None, before: _File | None) -> _File | None:
        full = self._root / path
        try:
            mark = open_text if open_text is not None else signature(os.stat(full))
            if before is not None and before.mark == mark:
                return before
            text = open_text if open_text is not None else read_source(full, shown=path)
        except (OSError, ConfigurationError):  # gone, or nothing that can be read: it writes nothing
            return None
        if "write" not in text:  # which every step that writes says: in its mode
            return _File(mark, "", "", [], written=frozenset())
        hides_names = _HIDDEN_NAME.search(text) is not None
        return _File(mark, text, text.casefold(), _TELLING.findall(text), hides_names)


def _analysed(file: _File, registry: ComponentRegistry, connections: Connections | None) -> frozenset[_Table]:
    """The tables that the steps of a pipeline write; their files are noted as well."""
    if file.written is None:
        from osiris.language.analysis import analyse

        analysis = analyse(file.text, StaticEnvironment(registry, connections))
        file.written = frozenset(
            (use.connection.reference, (use.schema or "").casefold(), use.table.casefold())
            for use in analysis.used_tables()
            if use.written
        )
        file.files = frozenset(use.path for step in analysis.paths for use in step if not use.is_input)
    return file.written
