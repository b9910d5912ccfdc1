"""Publishes findings. Always with the version they are for, and at once: nothing waits for a pause in typing.

A check is put at the end of the loop's queue, so that a burst of changes that has already arrived is checked once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from osiris.lsp import errors
from osiris.lsp.documents import Kind, OpenDocument, plain_range

if TYPE_CHECKING:
    from osiris.lsp.session import Session
    from osiris.syntax.diagnostic import Diagnostic
    from osiris.syntax.text import LineIndex

SOURCE = "osiris"
_UNNECESSARY = 1


class Diagnostics:
    """Which documents wait for a check, and which have findings at the client."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: set[str] = set()
        self._shown: set[str] = set()

    def request(self, uri: str) -> None:
        """Check a document once all changes that have already arrived are applied."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._check_waiting)
        self._waiting.add(uri)

    def request_all(self) -> None:
        """Check every open document: something outside them has changed."""
        for document in self._session.documents:
            self.request(document.uri)

    def clear(self, uri: str) -> None:
        """Take the findings of a closed document away."""
        self._waiting.discard(uri)
        if uri in self._shown:
            self._shown.discard(uri)
            self._send({"uri": uri, "diagnostics": []})

    def _check_waiting(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for uri in waiting:
            document = self._session.documents.get(uri)
            if document is None:
                continue
            try:
                self._check(document)
            except Exception as error:  # noqa: BLE001 (one document must not keep the others from being checked)
                errors.report("checking a document", error)

    def _check(self, document: OpenDocument) -> None:
        if document.kind is not Kind.OTHER or document.uri in self._shown:
            self._publish(document, self.of(document))

    def of(self, document: OpenDocument) -> Iterable[Diagnostic]:
        """The findings of a document, according to its kind; none for one that is nothing of ours."""
        match document.kind:
            case Kind.PIPELINE:
                return self._session.analyses.of(document).diagnostics
            case Kind.CONNECTIONS:
                from osiris.components.registry import ComponentRegistry
                from osiris.language.connections import parse_connections

                return parse_connections(document.text, ComponentRegistry.builtin()).diagnostics
            case Kind.SETTINGS:
                from osiris.core.config_file import parse_config

                return parse_config(document.text, str(document.path or document.uri)).diagnostics
            case Kind.DOTENV | Kind.OTHER:
                return ()

    def _publish(self, document: OpenDocument, found: Iterable[Diagnostic]) -> None:
        self._shown.add(document.uri)
        items = [self.to_json(item, document.uri, document.text, document.lines) for item in found]
        self._send({"uri": document.uri, "version": document.version, "diagnostics": items})

    def _send(self, params: dict[str, Any]) -> None:
        self._session.protocol.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    def to_json(self, item: Diagnostic, uri: str, text: str, lines: LineIndex) -> dict[str, Any]:
        """A finding in LSP's shape, as plain JSON, with no more than the client can show."""
        client, codec = self._session.client, self._session.documents.codec
        result: dict[str, Any] = {
            "range": plain_range(text, lines, codec, item.span),
            "severity": int(item.severity),
            "code": item.code,
            "source": SOURCE,
            "message": _masked(item.message),
        }
        if client.code_description and (href := documentation_of(item.code)):
            result["codeDescription"] = {"href": href}
        if client.related_information and item.related:
            result["relatedInformation"] = [
                {
                    "location": {"uri": uri, "range": plain_range(text, lines, codec, place.span)},
                    "message": _masked(place.message),
                }
                for place in item.related
            ]
        if client.unnecessary_tag and item.unnecessary:
            result["tags"] = [_UNNECESSARY]
        return result


@lru_cache(maxsize=2048)
def _masked(message: str) -> str:
    from osiris.core.secrets_masking import mask_secrets

    return mask_secrets(message)


def documentation_of(code: str) -> str | None:
    """The place of the page that explains a code, where the documentation is installed."""
    return _documentation().get(code)


@lru_cache(maxsize=1)
def _documentation() -> dict[str, str]:
    """Every code's heading in the page of all codes: in the package, or in ``docs/`` of a checkout."""
    import re
    from pathlib import Path

    import osiris

    package = Path(osiris.__file__).parent
    for page in (package / "docs" / "diagnostics.md", package.parents[1] / "docs" / "diagnostics.md"):
        if page.is_file():
            lines = page.read_text(encoding="utf-8").splitlines()
            headings = ((number, re.match(r"#+\s+`?(OML\d{3})\b", line)) for number, line in enumerate(lines, 1))
            return {match.group(1): f"{page.as_uri()}#L{number}" for number, match in headings if match}
    return {}
