"""One code action, before it is told in the words of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from osiris.lsp.edits import Target
from osiris.syntax.diagnostic import Diagnostic, TextEdit

QUICK_FIX = "quickfix"

Edits = Mapping[Target, tuple[TextEdit, ...]]


@dataclass(frozen=True, slots=True)
class Choice:
    """One action. ``edits`` makes what it does; None when that cannot be done after all.

    ``at_once``: its edits cost nothing, so that they are sent with the offer. ``secret``: they hold a secret, so that
    they are sent only when it was chosen. ``refused``: why it cannot be done at a place where one would expect it.
    ``command``: a command of this server that is run for the document in place of edits; ``arguments`` go with it.
    """

    kind: str
    title: str
    edits: Callable[[], Edits | None]
    diagnostic: Diagnostic | None = None
    preferred: bool = False
    at_once: bool = False
    secret: bool = False
    refused: str | None = None
    command: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


def ready(title: str, edits: Edits, diagnostic: Diagnostic, preferred: bool = False) -> Choice:
    """A quick fix whose edits are known already."""
    return Choice(QUICK_FIX, title, lambda: edits, diagnostic, preferred, at_once=True)
