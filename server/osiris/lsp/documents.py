"""The open documents. Text is kept here and nowhere else; lines end where LSP says, and never elsewhere.

A document changes; a snapshot of it does not. Whatever takes time works on a snapshot and compares versions at the end.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.uris import to_fs_path

from osiris.language.project_file_names import CONNECTIONS_FILE, DOTENV_FILE, LOCK_FILE, SETTINGS_FILE
from osiris.lsp.positions import PositionCodec
from osiris.syntax.text import LineIndex, Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment

PROJECT_FILES = (CONNECTIONS_FILE, SETTINGS_FILE, DOTENV_FILE, LOCK_FILE)
PROJECT_LANGUAGE = "osiris-project"
"""The language of a project's YAML files in editors that give them one of their own, as our VS Code extension does."""


class Kind(enum.Enum):
    """What a document is for Osiris."""

    PIPELINE = "pipeline"
    CONNECTIONS = "connections"
    SETTINGS = "settings"
    DOTENV = "dotenv"
    LOCK = "lock"
    OTHER = "other"


def kind_of(uri: str, language_id: str, text: str) -> Kind:
    """A pipeline by language, by name, or as YAML with ``oml_version`` at its top; the files of a project by name."""
    name = uri.rsplit("/", 1)[-1]
    if name == CONNECTIONS_FILE:
        return Kind.CONNECTIONS
    if name == SETTINGS_FILE:
        return Kind.SETTINGS
    if name == DOTENV_FILE:
        return Kind.DOTENV
    if name == LOCK_FILE:
        return Kind.LOCK
    from osiris.core.project_scan import has_oml_version, is_oml_name

    return Kind.PIPELINE if language_id == "oml" or is_oml_name(name) or has_oml_version(text) else Kind.OTHER


def path_of(uri: str) -> Path | None:
    """The file behind a URI, None for documents that are no file (``untitled:``, ``vscode-vfs:`` ...)."""
    path = to_fs_path(uri)
    return Path(path) if path else None


@lru_cache(maxsize=4096)
def key_of(uri: str) -> str:
    """The same text for all spellings of a URI: percent-encoding and the case of a drive letter do not count."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return f"file:{path}" if path else uri


class OpenDocument:
    """One document as the client has it now."""

    def __init__(self, uri: str, language_id: str, version: int, text: str, codec: PositionCodec) -> None:
        self.uri = uri
        self.path = path_of(uri)
        self.language_id = language_id
        self.version = version
        self.text = text
        self._codec = codec
        self._lines: LineIndex | None = None

    @property
    def kind(self) -> Kind:
        """What the document is, with the text it has now."""
        return kind_of(self.uri, self.language_id, self.text)

    @property
    def lines(self) -> LineIndex:
        """The lines of the text, indexed once per version."""
        if self._lines is None:
            self._lines = LineIndex(self.text)
        return self._lines

    def share_lines(self, lines: LineIndex) -> None:
        """Use an index that a parser made of this very text."""
        self._lines = lines

    def change(self, version: int, changes: Sequence[types.TextDocumentContentChangeEvent]) -> None:
        """Apply the changes in their order, each to the text that the one before it left."""
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                start = self.offset(change.range.start)
                end = max(start, self.offset(change.range.end))
                self.text = self.text[:start] + change.text + self.text[end:]
            else:
                self.text = change.text
            self._lines = None
        self.version = version

    def position(self, offset: int) -> types.Position:
        """The LSP position of an offset."""
        line, character = self._codec.to_position(self.text, self.lines, offset)
        return types.Position(line=line, character=character)

    def offset(self, position: types.Position) -> int:
        """The offset of an LSP position."""
        return self._codec.to_offset(self.text, self.lines, position.line, position.character)


class Documents:
    """The open documents by URI; two spellings of a URI are one document."""

    def __init__(self) -> None:
        self.codec = PositionCodec("utf-16")
        self._open: dict[str, OpenDocument] = {}
        self._linked: dict[str, OpenDocument] = {}

    def __iter__(self) -> Iterator[OpenDocument]:
        """All of them; documents may be opened and closed meanwhile."""
        return iter(list(self._open.values()))

    def get(self, uri: str) -> OpenDocument | None:
        """The open document, None when the client has not opened it."""
        return self._open.get(key_of(uri))

    def of_file(self, path: Path) -> OpenDocument | None:
        """The open document of a file, also when the editor knows the file by another name, through a link."""
        found = self._open.get(f"file:{path}")
        if found is None and self._linked and (real := os.path.realpath(path)) in self._linked:
            found = self._linked[real]
        return found

    def open(self, item: types.TextDocumentItem) -> OpenDocument:
        """Take a document over from the client."""
        document = OpenDocument(item.uri, item.language_id, item.version, item.text, self.codec)
        self._open[key_of(item.uri)] = document
        if document.path is not None:
            self._linked[os.path.realpath(document.path)] = document
        return document

    def change(self, params: types.DidChangeTextDocumentParams) -> OpenDocument | None:
        """Apply a change; None when the document is not open."""
        document = self.get(params.text_document.uri)
        if document is not None:
            document.change(params.text_document.version, params.content_changes)
        return document

    def close(self, uri: str) -> OpenDocument | None:
        """Give the document back to the client."""
        document = self._open.pop(key_of(uri), None)
        self._linked = {real: other for real, other in self._linked.items() if other is not document}
        return document


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One version of a pipeline with all that is known about it: what every feature starts from.

    ``version`` is None for a file that is not open.
    """

    uri: str
    version: int | None
    path: Path | None
    analysis: Analysis
    environment: Environment
    codec: PositionCodec

    @property
    def text(self) -> str:
        """The text of this version."""
        return self.analysis.document.text

    def offset(self, position: types.Position) -> int:
        """The offset (code points) of an LSP position."""
        return self.codec.to_offset(self.text, self.analysis.document.lines, position.line, position.character)

    def position(self, offset: int) -> types.Position:
        """The LSP position of an offset."""
        line, character = self.codec.to_position(self.text, self.analysis.document.lines, offset)
        return types.Position(line=line, character=character)

    def range(self, span: Span) -> types.Range:
        """The LSP range of a span."""
        return types.Range(start=self.position(span.start), end=self.position(span.end))

    def plain_range(self, span: Span) -> dict[str, Any]:
        """The LSP range of a span as plain JSON."""
        return plain_range(self.text, self.analysis.document.lines, self.codec, span)


def plain_range(text: str, lines: LineIndex, codec: PositionCodec, span: Span) -> dict[str, Any]:
    """The LSP range of a span as plain JSON, for messages that hold many."""
    start_line, start = codec.to_position(text, lines, span.start)
    end_line, end = codec.to_position(text, lines, span.end)
    return {"start": {"line": start_line, "character": start}, "end": {"line": end_line, "character": end}}
