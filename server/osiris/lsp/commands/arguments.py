"""The arguments of a command: an object ``{"uri": ..., ...}``, or just the URI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsprotocol import types

from osiris.lsp.documents import path_of
from osiris.lsp.errors import INVALID_PARAMS, RequestError
from osiris.lsp.session import Session


class Arguments:
    """What a client sent along with a command. ``token`` is the progress it wants to be told by, if any."""

    def __init__(self, values: Any, token: Any) -> None:
        first = values[0] if isinstance(values, list) and values else None
        self._values: dict[str, Any] = first if isinstance(first, dict) else {}
        self._first = first if isinstance(first, str) else None
        self.token: str | int | None = token if isinstance(token, str | int) else None

    def text(self, key: str, *, first: bool = False) -> str | None:
        """A text; with ``first``, a lone string argument counts as it."""
        value = self._values.get(key, self._first if first else None)
        if value is not None and not isinstance(value, str):
            raise RequestError(f"The argument {key!r} must be text.", INVALID_PARAMS)
        return value

    def texts(self, key: str) -> list[str]:
        """Some texts; none when the key is absent."""
        value = self._values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise RequestError(f"The argument {key!r} must be a list of texts.", INVALID_PARAMS)
        return value

    def position(self, key: str) -> types.Position | None:
        """A position of LSP; None when the key is absent."""
        value = self._values.get(key)
        if value is None:
            return None
        line, character = (value.get("line"), value.get("character")) if isinstance(value, dict) else (None, None)
        if not (type(line) is int and type(character) is int and line >= 0 and character >= 0):
            raise RequestError(f'The argument {key!r} must be {{"line": 0, "character": 0}}.', INVALID_PARAMS)
        return types.Position(line, character)

    def params(self) -> dict[str, Any]:
        """Values for the pipeline's parameters by name."""
        value = self._values.get("params") or {}
        if not isinstance(value, dict):
            raise RequestError("The argument 'params' must be an object.", INVALID_PARAMS)
        return {str(name): given for name, given in value.items()}

    def uri(self) -> str:
        """The document that the command is for."""
        uri = self.text("uri", first=True)
        if not uri:
            raise RequestError('The command needs a document: {"uri": "file:///..."}.', INVALID_PARAMS)
        return uri

    def file(self) -> Path:
        """The file that the command is for; RequestError when the document is not saved to a file."""
        path = path_of(self.uri())
        if path is None:
            raise RequestError("Save the document to a file first.")
        return path

    def saved_file(self, session: Session) -> Path:
        """Like ``file``, for commands that read it from disk: says so when the editor holds another text."""
        from osiris.core.source import read_source

        path = self.file()
        document = session.documents.get(self.uri())
        if document is not None and document.text != read_source(path):
            session.log(f"{path.name} has changes that are not saved; this uses the file as it was saved.", "warning")
        return path


def require_trust(session: Session, what: str) -> None:
    """RequestError in a workspace that the user has not trusted."""
    if not session.settings.trusted:
        raise RequestError(f"{what} needs a trusted workspace. Trust this workspace in the editor first.")
