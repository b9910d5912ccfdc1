"""What happens while the agent answers, in the order in which it happens: what faces show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osiris.core.agent.conversation import ChatState
from osiris.core.agent.proposals import Proposal


@dataclass(frozen=True, slots=True)
class StateEntered:
    """The conversation is that far now."""

    state: ChatState

    def data(self) -> dict[str, Any]:
        """The event as plain data."""
        return {"event": "state", "state": self.state.value}


@dataclass(frozen=True, slots=True)
class Said:
    """Some more text of the model's answer."""

    text: str

    def data(self) -> dict[str, Any]:
        """The event as plain data."""
        return {"event": "text", "text": self.text}


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """The model has used a tool. ``summary``: what for and what came of it, on one line for the user."""

    name: str
    summary: str
    ok: bool

    def data(self) -> dict[str, Any]:
        """The event as plain data."""
        return {"event": "tool", "name": self.name, "summary": self.summary, "ok": self.ok}


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal was checked. ``attempt`` counts from 1; ``final``: no further try follows."""

    proposal: Proposal
    attempt: int
    final: bool

    def data(self) -> dict[str, Any]:
        """The event as plain data; ``findings`` as ``osiris validate --format json`` prints them."""
        return {"event": "proposal", "attempt": self.attempt, "final": self.final, **self.proposal.data()}


@dataclass(frozen=True, slots=True)
class Asked:
    """The model leaves one choice to the user. ``options``: two to five, of which the first is its own advice."""

    question: str
    options: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """The event as plain data."""
        return {"event": "question", "question": self.question, "options": list(self.options)}


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that the user should know: another try, another model, a limit."""

    text: str
    details: Mapping[str, Any]

    def data(self) -> dict[str, Any]:
        """The event as plain data."""
        return {"event": "note", "text": self.text, "details": dict(self.details)}


AgentEvent = StateEntered | Said | ToolUsed | Proposed | Asked | Noted
