"""What the agent may ask of the face that it talks through: consent, and looking at rows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


class Consent(StrEnum):
    """What the user is asked to agree to."""

    CONNECT = "connect"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Rows:
    """The first rows of a step. ``more``: there are further ones."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    more: bool


class AgentHost(Protocol):
    """The face. Every method may take as long as the user does; it returns soon once the user stops the answer."""

    def agrees(self, what: Consent, question: str) -> bool:
        """Whether the user says yes to ``question``, which names what would happen."""

    def preview(self, text: str, path: Path, step: str, limit: int, cancel: threading.Event) -> Rows:
        """The first rows that ``step`` of the pipeline ``text`` yields, as the file ``path``. Raises OsirisError, also
        soon after ``cancel`` is set; nothing goes on then."""


class NobodyThere:
    """A host without a user: says no to everything."""

    def agrees(self, what: Consent, question: str) -> bool:
        """No."""
        return False

    def preview(self, text: str, path: Path, step: str, limit: int, cancel: threading.Event) -> Rows:
        """Never called: nobody agreed."""
        raise PermissionError("nobody agreed")
