"""Secrets never stand in a pipeline."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.tree import Entry


def connection_secrets(family: str, entry: Entry) -> Iterator[Diagnostic]:
    """Secrets in plain text in a field of a connection."""
    yield from ()
