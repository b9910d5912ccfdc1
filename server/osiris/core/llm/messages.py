"""What goes to a model and what comes back, apart from any provider's wire format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


def writable(text: str) -> str:
    """``text`` with ``?`` in place of what is no character: halves of pairs, as terminals and JSON may yield them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "tool_calls", "length", "filtered"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called. ``arguments`` is the JSON text as the model wrote it, perhaps broken."""

    id: str
    name: str
    arguments: str

    def __post_init__(self) -> None:
        """Keep the arguments such that they can be written."""
        object.__setattr__(self, "arguments", writable(self.arguments))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. ``calls`` only of an assistant; ``answers`` is the id of the call that a tool's
    message answers."""

    role: Role
    text: str
    calls: tuple[ToolCall, ...] = ()
    answers: str | None = None

    def __post_init__(self) -> None:
        """Keep the text such that it can be written."""
        object.__setattr__(self, "text", writable(self.text))


@dataclass(frozen=True, slots=True)
class Tool:
    """A function offered to the model. ``parameters`` is a JSON Schema, kept to plain keywords: some providers refuse
    a request for one that they do not know."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request, as the provider counts them; None where it does not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(_sum(self.input_tokens, other.input_tokens), _sum(self.output_tokens, other.output_tokens))


@dataclass(frozen=True, slots=True)
class Request:
    """What one call of a model sends. ``temperature`` and ``max_tokens``: None leaves them to the provider."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Some more text of an answer that is under way."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: always the last thing of a stream that did not fail."""

    message: Message
    finish: Finish
    usage: Usage
    model: str


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
