"""The agent that writes pipelines in a conversation.

    agent = ConversationalAgent(project, LLMAdapter.create("openai", "gpt-4"))
    response = agent.process_message("Daily revenue from the shop as CSV")
    if response.proposal and response.proposal.ok:
        agent.validate_and_save(response.proposal.text)

Every proposal passes the analysis and the compiler that the editor uses, and goes back to the model with what they
find, a bounded number of times. What still has errors is a draft, which nothing writes to a pipeline.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osiris.core.agent.conversation import ChatState as ChatState
from osiris.core.agent.conversation import ConversationContext as ConversationContext
from osiris.core.agent.events import AgentEvent, Asked
from osiris.core.agent.guide import system_prompt
from osiris.core.agent.host import AgentHost, NobodyThere
from osiris.core.agent.proposals import Proposal, checked, path_for, propose
from osiris.core.agent.reaching import references
from osiris.core.agent.saving import save
from osiris.core.agent.tools import Toolbox
from osiris.core.agent.turn import MOST_TRIES, Turn, TurnResult
from osiris.core.config import Config
from osiris.core.error_taxonomy import ConfigurationError, ExecutionError, ValidationError
from osiris.core.files import is_inside
from osiris.core.llm.ceiling import AiCeiling
from osiris.core.llm.messages import Usage
from osiris.core.llm_adapter import LLMAdapter
from osiris.core.project import Project

OUTPUT_FOLDER = "output"
# Something else was spoken of since; what the user runs has just been judged again.
_BEFORE_RUN = {
    ChatState.INTENT_CAPTURED: (ChatState.OML_SYNTHESIS, ChatState.VALIDATE_OML, ChatState.COMPILE),
    ChatState.DISCOVERY: (ChatState.OML_SYNTHESIS, ChatState.VALIDATE_OML, ChatState.COMPILE),
    ChatState.OML_SYNTHESIS: (ChatState.VALIDATE_OML, ChatState.COMPILE),
    ChatState.VALIDATE_OML: (ChatState.COMPILE,),
}


@dataclass(frozen=True, slots=True)
class AgentResponse:
    """What came of a message. ``problem``: why there is no answer, or only a draft; ``question``: what the user is to
    choose; ``proposal.ok`` says whether it may be applied."""

    text: str
    state: ChatState
    proposal: Proposal | None = None
    question: Asked | None = None
    problem: str | None = None
    usage: Usage = field(default_factory=Usage)
    tries: int = 0


class ConversationalAgent:
    """One conversation about one project."""

    def __init__(
        self,
        project: Project | Path | str,
        model: LLMAdapter,
        *,
        context: ConversationContext | None = None,
        host: AgentHost | None = None,
        keep: Callable[[ConversationContext], None] = lambda context: None,
        most_tries: int = MOST_TRIES,
    ) -> None:
        """``context``: a conversation that is gone on with (default: a new one). ``host``: the face that the user is
        behind. ``keep`` is called with the context whenever it has changed. ``most_tries``: how often the model may
        mend a proposal. Raises AiForbiddenError when the project forbids AI or
        this model, NoModelError when there is no key for it."""
        self.project = project if isinstance(project, Project) else Project.find(project)
        self.model = model
        self.context = context or ConversationContext(id="")
        self.host = host or NobodyThere()
        self.keep = keep
        self.most_tries = most_tries
        model.check()
        ceiling = self.ceiling()
        for one in model.models:
            ceiling.require(one.provider)

    def ceiling(self) -> AiCeiling:
        """What the project allows, as its osiris.yaml is now. Raises ConfigurationError."""
        return Config.load(self.project.root).ai

    @property
    def state(self) -> ChatState:
        """How far the conversation is."""
        return self.context.state

    def process_message(self, message: str) -> AgentResponse:
        """Process user input and advance the conversation. Raises ModelError when the model does not answer."""
        turn = self._turn(None, threading.Event())
        for _ in turn.take(message):
            pass
        return self._response(turn.result)

    def stream_message(
        self, message: str, *, open_text: str | None = None, cancel: threading.Event | None = None
    ) -> Iterator[AgentEvent | AgentResponse]:
        """What happens while the message is processed, as it happens; at last the response.

        ``open_text``: the unsaved text of the conversation's pipeline. Raises ModelError, and ModelCancelledError soon
        after ``cancel`` is set.
        """
        turn = self._turn(open_text, cancel or threading.Event())
        yield from turn.take(message)
        yield self._response(turn.result)

    def generate_oml(self, context: Mapping[str, Any]) -> str:
        """Generate OML from a conversation context: ``{"intent": ..., ...}``, whose other entries are facts.

        Raises ExecutionError when the model does not come to a pipeline that compiles.
        """
        facts = "\n".join(f"{name}: {value}" for name, value in context.items() if name != "intent")
        intent = str(context.get("intent", "Write the pipeline that we spoke of."))
        response = self.process_message(f"{intent}\n\n{facts}".strip())
        if response.proposal is None or not response.proposal.ok:
            raise ExecutionError(
                response.problem or "The model did not propose a pipeline.",
                hint="Say more precisely what the pipeline is to do, or try another model.",
            )
        return response.proposal.text

    def validate_and_save(self, oml: str) -> bool:
        """Validate OML and save it to ``output/`` of the project; False, and nothing written, when it has errors.

        Raises ConfigurationError when the file cannot be written.
        """
        path = f"{OUTPUT_FOLDER}/{Path(path_for(oml)).name}"
        if not is_inside(self.project.root / path, self.project.root):
            raise ConfigurationError(f"{OUTPUT_FOLDER}/ leads out of the project: nothing is written there.")
        proposal = propose(self.project, oml, path)
        if proposal.ok:
            save(self.project, proposal)
        return proposal.ok

    def save(self, proposal: Proposal) -> Path:
        """Write a proposal to its pipeline; see ``agent.saving.save``."""
        return save(self.project, proposal)

    def say_run(self) -> None:
        """The user says that the proposal shall run. Raises ValidationError when there is none that compiles."""
        if not self.context.draft_ok or self.context.draft is None or self.context.path is None:
            raise ValidationError("There is no pipeline of this conversation that compiles yet.")
        draft = Proposal(self.context.path, self.context.draft, self.context.draft_before, (), False)
        now = checked(self.project, draft)
        if not now.ok:
            raise ValidationError("The pipeline does not compile any more: something around it has changed.")
        for state in _BEFORE_RUN.get(self.context.state, ()):
            self.context.enter(state)
        self.context.enter(ChatState.RUN)
        self.keep(self.context)

    def first_request(self, message: str) -> str:
        """All that would be sent for ``message``, as text: to be shown before anything is."""
        turn = self._turn(None, threading.Event())
        return turn.shown(message)

    def _turn(self, open_text: str | None, cancel: threading.Event) -> Turn:
        tools = Toolbox(self.project, self.context, self.host, ceiling=self.ceiling, open_text=open_text, cancel=cancel)
        system = system_prompt(self._facts())
        return Turn(self.context, self.model, tools, system, self.keep, self.ceiling, cancel, self.most_tries)

    def _facts(self) -> str:
        named = ", ".join(references(self.project.environment().connections))
        path = self.context.path
        return f"Connections: {named or 'none'}\nOpen pipeline: {path or 'none; a new one is wanted'}"

    def _response(self, result: TurnResult) -> AgentResponse:
        return AgentResponse(
            result.text,
            self.context.state,
            result.proposal,
            result.question,
            result.problem,
            self.context.usage,
            result.tries,
        )
