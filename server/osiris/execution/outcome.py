"""How a run and its steps ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SUCCEEDED, FAILED, CANCELLED, SKIPPED = "succeeded", "failed", "cancelled", "skipped"
PENDING, RUNNING = "pending", "running"


@dataclass
class StepRecord:
    """What became of a step. ``rows`` is known only where nobody had to count; ``duration`` is in seconds.

    ``bytes`` is the size of what it wrote; ``memory`` the most that the whole run took while the step was on its way;
    ``untouched``: it was stopped and has certainly written nothing.
    """

    id: str
    state: str = PENDING
    duration: float | None = None
    rows: int | None = None
    bytes: int | None = None
    memory: int | None = None
    attempts: int = 0
    untouched: bool = False

    def plain(self) -> dict[str, Any]:
        """The record for status.json."""
        record: dict[str, Any] = {"id": self.id, "state": self.state}
        if self.duration is not None:
            record["duration"] = round(self.duration, 3)
        if self.rows is not None:
            record["rows"] = self.rows
        if self.bytes is not None:
            record["bytes"] = self.bytes
        if self.memory is not None:
            record["peak_memory"] = self.memory
        if self.untouched:
            record["untouched"] = True
        if self.attempts > 1:
            record["attempts"] = self.attempts
        return record


@dataclass
class Outcome:
    """The end of a run: ``succeeded``, ``failed`` or ``cancelled``; ``error`` is the first (step, code, message)."""

    state: str
    steps: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, Any] | None = None
    rows: dict[str, int] = field(default_factory=dict)
    peak_memory: int | None = None

    def plain(self) -> dict[str, Any]:
        """The outcome as JSON data."""
        return {"state": self.state, "error": self.error, "steps": self.steps, "rows": self.rows} | (
            {"peak_memory": self.peak_memory} if self.peak_memory is not None else {}
        )
