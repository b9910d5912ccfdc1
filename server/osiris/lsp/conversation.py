"""One conversation of this session: its agent answers in a thread, what happens comes back to the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osiris.lsp import errors

if TYPE_CHECKING:
    from osiris.core.agent.proposals import Proposal
    from osiris.core.conversational_agent import AgentResponse
    from osiris.execution.agent_host import Chat
    from osiris.lsp.agent_questions import AgentQuestions

Event = dict[str, Any]
ENDS = frozenset({"response", "stopped", "error"})
"""The events of which exactly one is the last of every answer."""


class Events:
    """Takes events in any thread and tells them in the loop. Text that waits becomes one piece."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: list[Event] = []

    def post(self, event: Event) -> None:
        """Have the event told soon."""
        with self._lock:
            last = self._waiting[-1] if self._waiting else None
            if last is not None and last["event"] == event["event"] == "text":
                self._waiting[-1] = {**last, "text": last["text"] + event["text"]}
                return
            self._waiting.append(event)
            if len(self._waiting) > 1:
                return
        try:
            self._loop.call_soon_threadsafe(self._flush)
        except RuntimeError:
            return  # The loop has been closed: nobody is there to be told.

    def _flush(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._tell(event)


@dataclass(eq=False)
class Conversation:
    """``proposal`` is what was proposed last, as the file was then; ``answering`` says when the answer has ended.
    ``outdated``: another model, or another key, has been chosen since this was opened."""

    chat: Chat
    questions: AgentQuestions
    proposal: Proposal | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    answering: asyncio.Future[Event] | None = None
    outdated: bool = False
    _thread: threading.Thread | None = None

    @property
    def id(self) -> str:
        """The id that the conversation is kept under."""
        return self.chat.context.id

    @property
    def busy(self) -> bool:
        """Whether it is being answered."""
        return self.answering is not None and not self.answering.done()

    def stop(self) -> bool:
        """Have the answer end soon; whether there is one."""
        self.cancel.set()
        return self.busy

    def answer(self, message: str, open_text: str | None, tell: Callable[[Event], None]) -> asyncio.Future[Event]:
        """Begin to answer; the future has the last event. ``open_text``: the unsaved text of its pipeline."""
        ended: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self.cancel = self.questions.cancel = threading.Event()
        self.answering = ended

        def heard(event: Event) -> None:
            tell(event)
            if event["event"] in ENDS and not ended.done():
                ended.set_result(event)

        work = (message, open_text, self.cancel, Events(heard))
        self._thread = threading.Thread(target=self._work, args=work, name=f"osiris-{self.id}", daemon=True)
        self._thread.start()
        return ended

    def wait(self, seconds: float) -> None:
        """Wait until whatever an answer was doing is over, at most so long."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))

    def _work(self, message: str, open_text: str | None, cancel: threading.Event, events: Events) -> None:
        from osiris.core.conversational_agent import AgentResponse
        from osiris.core.error_taxonomy import OsirisError, describe
        from osiris.core.llm.errors import ModelCancelledError

        self.questions.tell = events.post
        try:
            response: AgentResponse | None = None
            for event in self.chat.stream(message, open_text=open_text, cancel=cancel):
                if isinstance(event, AgentResponse):
                    response = event
                else:
                    self._hear(event, events)
            if response is not None:  # told when the conversation is free again: the next message may follow at once
                events.post(response_data(response))
        except ModelCancelledError:
            events.post({"event": "stopped"})
        except OsirisError as error:
            said = describe(error, self.chat.masker)
            events.post({"event": "error", "message": said, "hint": error.hint, "code": error.code})
        except Exception as error:  # noqa: BLE001 (a thread has nobody above it, and somebody waits for the end)
            errors.report("the conversation", error)
            said = "Osiris could not go on with this conversation because of a fault of its own. Its log says where."
            events.post({"event": "error", "message": said, "hint": None, "code": None})

    def _hear(self, event: Any, events: Events) -> None:
        from osiris.core.agent.events import Proposed

        if isinstance(event, Proposed):
            self.proposal = event.proposal
        events.post(event.data())


def response_data(response: AgentResponse) -> Event:
    """The response as plain data. Its proposal has been told whole before."""
    proposal, question = response.proposal, response.question
    return {
        "event": "response",
        "text": response.text,
        "state": response.state.value,
        "problem": response.problem,
        "proposal": None if proposal is None else {"path": proposal.path, "ok": proposal.ok},
        "question": None if question is None else {"question": question.question, "options": list(question.options)},
        "tries": response.tries,
        "usage": {"inputTokens": response.usage.input_tokens, "outputTokens": response.usage.output_tokens},
    }
