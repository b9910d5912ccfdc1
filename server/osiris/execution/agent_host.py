"""The agent as every face uses it: with the project's secrets masked, its conversations kept, and rows when agreed to.

chat = open_chat(project, AskingHost(project, ask))
for event in chat.stream("Revenue by customer as CSV"):
    ...
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.agent.conversation import ConversationContext
from osiris.core.agent.events import AgentEvent
from osiris.core.agent.host import AgentHost, Consent, Rows
from osiris.core.agent.masks import unmasked
from osiris.core.agent.proposals import Proposal, checked, with_plain_ends
from osiris.core.config import Config, ConnectionConfig
from osiris.core.conversation_store import ConversationStore
from osiris.core.conversational_agent import AgentResponse, ConversationalAgent
from osiris.core.env_loader import EnvSource
from osiris.core.error_taxonomy import ConfigurationError, ValidationError
from osiris.core.llm.errors import NoModelError
from osiris.core.llm.providers import PROVIDERS
from osiris.core.llm.user_settings import KEY_VARIABLE, AiSettings
from osiris.core.llm_adapter import ChatModel, LLMAdapter, NotYet
from osiris.core.project import Project
from osiris.core.secrets_masking import Masker
from osiris.core.source import read_source
from osiris.language.secrets import is_secret_key

if TYPE_CHECKING:
    from osiris.core.state_store import StateStore

_AI_KEYS = frozenset(
    {KEY_VARIABLE, *(variable for provider in PROVIDERS.values() for variable in provider.key_variables)}
)
Ask = Callable[[Consent, str], bool]
Heard = Callable[[Mapping[str, Any]], None]
Connect = Callable[[str | None, str | None], LLMAdapter]


def learn_secrets(masker: Masker, project: Project) -> None:
    """Let ``masker`` know every secret of the project as things are now: of its connections, whether they can be used
    or not, and of variables whose names say that they hold one. What cannot be read holds none."""
    project.invalidate()
    environment = project.environment()
    try:
        variables = project.variables()
    except ConfigurationError:  # what the file would say is not known, the rest is
        variables = EnvSource(dict(os.environ), {})
    for name, value in variables.items():
        mine = variables.origin(name) == ".env" or name.startswith("OSIRIS_")
        if name in _AI_KEYS or (mine and is_secret_key(name)):
            masker.add(value)
    for aliases in environment.connections.families.values() if environment.connections is not None else ():
        for connection in aliases.values():
            whole = ConnectionConfig.of(connection)
            specs = (None, *environment.registry.specs_of(whole.family))
            for field, value in whole.fields.items():  # one by one: a variable that is missing hides no other
                alone = ConnectionConfig(whole.family, whole.alias, {field: value})
                for spec in specs:
                    try:
                        secrets = alone.resolve(variables, spec).secrets
                    except ConfigurationError:
                        continue
                    for secret in secrets:
                        masker.add(secret)


def project_masker(project: Project) -> Masker:
    """What masks every secret of the project, see ``learn_secrets``."""
    masker = Masker()
    learn_secrets(masker, project)
    return masker


def preview_rows(project: Project, text: str, path: Path, step: str, limit: int, cancel: threading.Event) -> Rows:
    """The first rows that a step of the pipeline ``text`` yields, as the file ``path``; nothing is written. Raises
    OsirisError, also soon after ``cancel`` is set."""
    from osiris.core.compiler_v0 import compile_text
    from osiris.execution.preview_in_time import preview_in_time

    manifest, _ = compile_text(text, path, project=project, step=step)
    found = preview_in_time(manifest, step, root=project.root, limit=limit, cancel=cancel)
    return Rows([name for name, _ in found.columns], found.rows, found.more)


class AskingHost:
    """An ``AgentHost`` whose questions go to ``ask``; None: nobody is there, and the answer is no."""

    def __init__(self, project: Project, ask: Ask | None = None) -> None:
        self.project = project
        self.ask = ask

    def agrees(self, what: Consent, question: str) -> bool:
        """What the user says."""
        return self.ask is not None and self.ask(what, question)

    def preview(self, text: str, path: Path, step: str, limit: int, cancel: threading.Event) -> Rows:
        """See ``preview_rows``."""
        return preview_rows(self.project, text, path, step, limit, cancel)


class Chat:
    """A conversation that a face holds. While it is answered nobody else can go on with it; before that it becomes as
    it was left last, perhaps in another window."""

    def __init__(self, agent: ConversationalAgent, store: ConversationStore, masker: Masker, connect: Connect) -> None:
        """Use ``open_chat``."""
        self.agent = agent
        self.store = store
        self.masker = masker
        self._connect = connect
        self._seen: float | None = None
        agent.keep = self._keep

    @property
    def project(self) -> Project:
        """The project that it is about."""
        return self.agent.project

    @property
    def context(self) -> ConversationContext:
        """The conversation as it is now."""
        return self.agent.context

    def use_model(self, provider: str | None, model: str | None) -> None:
        """Go on with another model. Raises as ``open_chat`` does, and then nothing has changed."""
        adapter = self._connect(provider, model)
        adapter.check()
        self.agent.model = adapter

    def begin(self, path: str | None = None) -> None:
        """Begin a new conversation, about the pipeline ``path``; the one of before is kept."""
        self.agent.context = self.store.new(path)
        self._seen = self.store.changed_at(self.context.id)

    def stream(
        self, message: str, *, open_text: str | None = None, cancel: threading.Event | None = None
    ) -> Generator[AgentEvent | AgentResponse, None, None]:
        """As ``ConversationalAgent.stream_message``; also raises ValidationError while another window answers."""
        with self._alone():
            learn_secrets(self.masker, self.project)
            yield from self.agent.stream_message(message, open_text=open_text, cancel=cancel)

    def say_run(self) -> None:
        """As ``ConversationalAgent.say_run``; also raises ValidationError while another window answers."""
        with self._alone():
            self.agent.say_run()

    def draft(self) -> Proposal | None:
        """What was proposed last, of the text that was there then, judged as things are now; None when nothing was. It
        may be of another session: show its diff before it is saved. Raises ValidationError when a secret in it, which
        is not kept, cannot be had back."""
        self._catch_up()
        text, path = self.context.draft, self.context.path
        if text is None or path is None:
            return None
        return checked(self.project, Proposal(path, text, self.context.draft_before, (), False))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Inside the block no other window can change the conversation, which is as it was left last. Raises
        ValidationError while another one does."""
        lock = self.store.lock(self.context.id)
        if not lock.acquire():
            raise ValidationError(
                "This conversation is being answered in another window.", hint="Wait for that, or begin a new one."
            )
        try:
            self._catch_up()
            yield
        finally:
            lock.release()

    def _catch_up(self) -> None:
        changed = self.store.changed_at(self.context.id)
        if changed is not None and changed != self._seen:
            self.agent.context = _loaded(self.store, self.project, self.context.id)
            self._seen = changed

    def _keep(self, context: ConversationContext) -> None:
        self.store.save(context)
        self._seen = self.store.changed_at(context.id)


def open_chat(
    project: Project,
    host: AgentHost,
    *,
    conversation: str | None = None,
    path: str | None = None,
    provider: str | None = None,
    model: str | None = None,
    editor: ChatModel | None = None,
    environ: Mapping[str, str] | None = None,
    settings: AiSettings | None = None,
    state: StateStore | None = None,
    heard: Heard = lambda event: None,
    keep: bool = True,
) -> Chat:
    """A conversation about the project: the one with the id ``conversation``, else a new one about the pipeline
    ``path`` (relative to the project; None: a new pipeline).

    ``provider`` and ``model`` instead of those that the user has set up, ``settings`` instead of all that they have;
    ``editor``: the model of the editor we run in.
    ``heard`` is told of requests, retries, fallbacks and answers, as they happen. ``keep=False``: a new conversation
    leaves no trace, for looking at what would be sent, also where no model can be asked yet. Raises NoModelError,
    AiForbiddenError, ConfigurationError, and ValidationError when there is no such conversation.
    """
    masker = project_masker(project)
    for key in settings.keys.values() if settings is not None else ():
        masker.add(key)
    store = ConversationStore(project.root, state, masker)
    chat: Chat | None = None

    def on_event(event: Mapping[str, Any]) -> None:
        if chat is not None:
            store.note(chat.context, event)
        heard(event)

    def connect(provider: str | None, model: str | None) -> LLMAdapter:
        return LLMAdapter.create(
            provider,
            model,
            environ=environ,
            settings=settings,
            ceiling=Config.load(project.root).ai,
            editor=editor,
            masker=masker,
            on_event=on_event,
        )

    adapter = connect(provider, model) if keep else _to_look_at(lambda: connect(provider, model), masker)
    adapter.check()
    if conversation is not None:
        context = _loaded(store, project, conversation)
    elif keep:
        context = store.new(path)
    else:
        context = ConversationContext("", path=path)
    chat = Chat(ConversationalAgent(project, adapter, context=context, host=host), store, masker, connect)
    return chat


def _to_look_at(connect: Callable[[], LLMAdapter], masker: Masker) -> LLMAdapter:
    """The adapter by which it can be seen what would be sent, also where no model is set up yet, or has no key."""
    try:
        adapter = connect()
    except NoModelError as problem:
        return LLMAdapter([NotYet(problem)], masker=masker)
    try:
        adapter.check()
    except NoModelError as problem:
        model = adapter.models[0]
        return LLMAdapter([NotYet(problem, model.provider, model.model, model.host)], masker=masker)
    return adapter


def _loaded(store: ConversationStore, project: Project, conversation: str) -> ConversationContext:
    """A conversation as it was left. Secrets are not kept: those of a proposal that stand in its file come from there.
    Raises ValidationError when there is no such conversation."""
    context = store.load(conversation)
    if context.path is not None and context.draft is not None:
        with contextlib.suppress(ConfigurationError):  # there is no such file
            there = with_plain_ends(read_source(project.root / context.path))
            context.draft = unmasked(context.draft, there, store.masker)
            if context.draft_before is not None:
                context.draft_before = unmasked(context.draft_before, there, store.masker)
    return context
