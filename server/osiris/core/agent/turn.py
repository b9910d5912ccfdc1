"""One turn: from what the user says to an answer, a checked proposal or a question."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace

from osiris.core.agent.conversation import ChatState, ConversationContext
from osiris.core.agent.events import AgentEvent, Asked, Noted, Proposed, Said, StateEntered, ToolUsed
from osiris.core.agent.fence import OPENING
from osiris.core.agent.proposals import Proposal, blocks_of_oml
from osiris.core.agent.tool_table import TOOLS
from osiris.core.agent.tools import Toolbox, ToolResult
from osiris.core.llm.ceiling import AiCeiling
from osiris.core.llm.chat_completions import request_bytes
from osiris.core.llm.messages import Message, Reply, Request, TextPiece, ToolCall
from osiris.core.llm_adapter import LLMAdapter

MOST_TRIES = 3
MOST_ROUNDS = 24
_MOST_HISTORY = 120_000
_CUT_OFF = "The model's answer was cut off: it was longer than the model may answer."
_NUDGE = "Your answer was empty. Use a tool, or answer in words."
_ROWS = "preview_step"  # the tool whose answers hold rows
_NO_ROWS = "These rows may not be sent any more."

Keep = Callable[[ConversationContext], None]


@dataclass(slots=True)
class TurnResult:
    """What a turn comes to. ``text``: what the model said; ``problem``: why there is nothing better."""

    text: str = ""
    proposal: Proposal | None = None
    question: Asked | None = None
    problem: str | None = None
    tries: int = 0


@dataclass
class Turn:
    """One turn of a conversation. ``keep`` is called whenever something was added to it, so that nothing is lost;
    ``ceiling`` before each request: what the project allows counts as it is then."""

    context: ConversationContext
    model: LLMAdapter
    tools: Toolbox
    system: str
    keep: Keep
    ceiling: Callable[[], AiCeiling]
    cancel: threading.Event
    most_tries: int = MOST_TRIES
    result: TurnResult = field(default_factory=TurnResult)

    def take(self, message: str) -> Iterator[AgentEvent]:
        """Answer ``message``. Raises ModelError, ModelCancelledError and AiForbiddenError; what was said until then is
        kept."""
        self.context.mend_cut_calls()
        self._add(Message("user", message))
        yield from self._enter(ChatState.INTENT_CAPTURED)
        nudged = False
        for _ in range(MOST_ROUNDS):
            reply = yield from self._ask()
            message_text, calls = reply.message.text, reply.message.calls
            if not calls and not message_text.strip():
                if nudged:
                    self.result.problem = "The model gives empty answers. Try another one, or say it in other words."
                    return
                nudged = True
                self._add(Message("user", _NUDGE))
                continue
            self._add(reply.message)
            self.result.text = message_text.strip() or self.result.text
            cut = reply.finish == "length"  # what came of a later round counts, not this one
            self.result.problem = _CUT_OFF if cut else None
            written = () if calls else tuple(blocks_of_oml(message_text))
            ended = yield from (self._use(calls) if calls else self._written(written))
            if ended:
                return
        self.result.problem = f"The model did not come to an end in {MOST_ROUNDS} rounds."

    def shown(self, message: str) -> str:
        """What the first request for ``message`` would send, to whom, as text; nothing is sent."""
        history = self._history(self._allowed())
        messages = (Message("system", self.system), *history, Message("user", message))
        request = self.model.masked(Request(messages, TOOLS))
        model = self.model.models[0]
        to = f"{model.host}, model {model.model or 'of the editor'}" if model.host else "a host that is not known yet"
        problem = getattr(model, "problem", None)
        parts = [f"To {to}:" if problem is None else f"To {to} (now nothing can be sent: {problem.message}):"]
        parts.append("--- tools")
        parts += [f"{tool.name}: {tool.description}\n{_json(tool.parameters)}" for tool in request.tools]
        parts += [_shown(one) for one in request.messages]  # what is new of it stands last
        parts.append(f"--- in all {len(request_bytes(model.model, request)):,} bytes")
        return "\n\n".join(parts)

    def _ask(self) -> Generator[AgentEvent, None, Reply]:
        request = Request((Message("system", self.system), *self._history(self._allowed())), TOOLS)
        for piece in self.model.converse(request, self.cancel):
            if isinstance(piece, TextPiece):
                yield Said(piece.text)
            else:
                self.context.usage += piece.usage
                return piece
        raise AssertionError("a stream that does not fail ends with a reply")

    def _allowed(self) -> AiCeiling:
        """What the project allows now. Raises AiForbiddenError when this request is none of it."""
        ceiling = self.ceiling()
        for model in self.model.models:
            ceiling.require(model.provider)
        return ceiling

    def _use(self, calls: tuple[ToolCall, ...]) -> Generator[AgentEvent, None, bool]:
        """Carry out the calls; whether the turn has ended."""
        ended = False
        for call in calls:
            if ended:
                self._add(Message("tool", "Not done: the turn had ended.", answers=call.id))
                continue
            result = self.tools.call(call.name, call.arguments)
            if result.looked:
                yield from self._enter(ChatState.DISCOVERY)
            yield ToolUsed(call.name, result.summary, result.ok)
            ended = yield from self._judge(result)
            self._add(Message("tool", result.text, answers=call.id))
        return ended

    def _written(self, blocks: tuple[str, ...]) -> Generator[AgentEvent, None, bool]:
        """Take the first pipeline in a plain answer as a proposal; whether the turn has ended."""
        if not blocks:
            return True
        oml = blocks[0]
        result = self.tools.call("propose_pipeline", _json_call(oml, self.result.text))
        ended = yield from self._judge(result)
        if not ended:
            self._add(Message("user", result.text))
        return ended

    def _judge(self, result: ToolResult) -> Generator[AgentEvent, None, bool]:
        """Tell of a proposal or a question; whether the turn has ended."""
        if result.question is not None:
            self.result.question = Asked(*result.question)
            yield self.result.question
            return True
        proposal = result.proposal
        if proposal is None:
            return False
        self.result.tries += 1
        self.result.proposal = proposal
        self.context.draft, self.context.draft_ok, self.context.path = proposal.text, proposal.ok, proposal.path
        self.context.draft_before = proposal.before
        yield from self._enter(ChatState.OML_SYNTHESIS)
        yield from self._enter(ChatState.VALIDATE_OML)
        final = proposal.ok or self.result.tries > self.most_tries
        yield Proposed(proposal, self.result.tries, final)
        if proposal.ok:
            yield from self._enter(ChatState.COMPILE)
        elif final:
            self.result.problem = f"The model did not get it right in {self.result.tries} tries: this is a draft only."
            yield Noted(self.result.problem, {})
        return final

    def _enter(self, state: ChatState) -> Iterator[AgentEvent]:
        if state is ChatState.DISCOVERY and self.context.state is ChatState.DISCOVERY:
            return
        self.context.enter(state)
        self.keep(self.context)
        yield StateEntered(state)

    def _add(self, message: Message) -> None:
        self.context.messages.append(message)
        self.keep(self.context)

    def _history(self, ceiling: AiCeiling) -> tuple[Message, ...]:
        """The latest messages that fit; what is left out is whole turns, so that no answer of a tool stands alone.
        Rows that were sent once are left out where none may be sent now."""
        messages = self.context.messages
        if not ceiling.allow_rows:
            messages = list(_without_rows(messages))
        starts = [n for n, message in enumerate(messages) if message.role == "user"]
        size = 0
        first = len(messages)
        for start in reversed(starts):
            size += sum(len(m.text) + sum(len(c.arguments) for c in m.calls) for m in messages[start:first])
            if size > _MOST_HISTORY and first < len(messages):
                break
            first = start
        return tuple(messages[first:])


def _json_call(oml: str, summary: str) -> str:
    return json.dumps({"oml": oml, "summary": summary.partition("```")[0].strip()[:300]})


def _without_rows(messages: Iterable[Message]) -> Iterator[Message]:
    """The messages with a word in place of rows. What was refused stays."""
    asked: set[str] = set()
    for message in messages:
        if message.calls:
            asked = {call.id for call in message.calls if call.name == _ROWS}
        rows = message.answers in asked and message.text.startswith(OPENING)
        yield replace(message, text=_NO_ROWS) if rows else message


def _shown(message: Message) -> str:
    """A message with all that is sent of it."""
    head = f"--- {message.role}" + (f" (answers {message.answers})" if message.answers is not None else "")
    calls = (f"calls {call.name} ({call.id}): {call.arguments}" for call in message.calls)
    return "\n".join([head, *([message.text] if message.text or not message.calls else []), *calls])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
