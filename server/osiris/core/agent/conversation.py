"""A conversation: what was said, how far it is, and what the user has agreed to in it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from osiris.core.error_taxonomy import ValidationError
from osiris.core.llm.messages import Message, Usage


class ChatState(enum.StrEnum):
    """How far a conversation is.

    INIT → INTENT_CAPTURED → [DISCOVERY] → OML_SYNTHESIS → VALIDATE_OML → COMPILE, and RUN only when the user says so.
    """

    INIT = "init"
    INTENT_CAPTURED = "intent_captured"
    DISCOVERY = "discovery"
    OML_SYNTHESIS = "oml_synthesis"
    VALIDATE_OML = "validate_oml"
    COMPILE = "compile"
    RUN = "run"


_S = ChatState
# A new wish may come at any time; the model may look at a database before each try; a failed check leads to a new try.
_NEXT: dict[ChatState, frozenset[ChatState]] = {
    _S.INIT: frozenset({_S.INTENT_CAPTURED}),
    _S.INTENT_CAPTURED: frozenset({_S.INTENT_CAPTURED, _S.DISCOVERY, _S.OML_SYNTHESIS}),
    _S.DISCOVERY: frozenset({_S.INTENT_CAPTURED, _S.OML_SYNTHESIS}),
    _S.OML_SYNTHESIS: frozenset({_S.INTENT_CAPTURED, _S.VALIDATE_OML}),
    _S.VALIDATE_OML: frozenset({_S.INTENT_CAPTURED, _S.DISCOVERY, _S.OML_SYNTHESIS, _S.COMPILE}),
    _S.COMPILE: frozenset({_S.INTENT_CAPTURED, _S.RUN}),
    _S.RUN: frozenset({_S.INTENT_CAPTURED, _S.COMPILE, _S.RUN}),
}


@dataclass
class ConversationContext:
    """What belongs to one conversation and is kept until it is cleaned up.

    ``path``: the pipeline that it is about, relative to the project with ``/``; None for a new one. ``draft``: the
    text that was proposed last, ``draft_ok`` whether it is free of errors, ``draft_before`` what stood in the file
    then (None: there was none). ``allow_rows``: the user lets rows of data be sent in this conversation.
    ``tables``: what was told of which database, as ``@mysql.shop: orders``.
    """

    id: str
    messages: list[Message] = field(default_factory=list)
    state: ChatState = ChatState.INIT
    path: str | None = None
    draft: str | None = None
    draft_ok: bool = False
    allow_rows: bool = False
    tables: set[str] = field(default_factory=set)
    usage: Usage = field(default_factory=Usage)
    draft_before: str | None = None

    def enter(self, state: ChatState) -> None:
        """Go on to ``state``. Raises ValidationError when no way leads there from here."""
        if state not in _NEXT[self.state]:
            raise ValidationError(f"A conversation cannot go from {self.state} to {state}.")
        self.state = state

    @property
    def title(self) -> str:
        """The first thing that the user said, on one line."""
        first = next((message.text for message in self.messages if message.role == "user"), "")
        line = " ".join(first.split())
        return line if len(line) <= 80 else f"{line[:79]}…"

    def mend_cut_calls(self) -> None:
        """Answer calls of tools that were cut off, as by the end of the process: providers want one for each call."""
        mended: list[Message] = []
        waiting: list[str] = []
        for message in (*self.messages, None):
            if message is not None and message.role == "tool" and message.answers in waiting:
                waiting.remove(message.answers)
            elif waiting:
                mended += [Message("tool", "This was interrupted; nothing came of it.", answers=i) for i in waiting]
                waiting = []
            if message is not None:
                mended.append(message)
                waiting += [call.id for call in message.calls]
        self.messages[:] = mended
