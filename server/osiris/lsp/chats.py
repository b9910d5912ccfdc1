"""The conversations with the agent that this session holds: each is answered in a thread of its own.

A client that announces ``osiris/chatEvent`` is told every event. For any other one there are progress, lines in the log
and messages, and an edit is offered to it as soon as a proposal without errors is there.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types

from osiris.lsp.chat_lines import ChatLines, short
from osiris.lsp.documents import path_of
from osiris.lsp.errors import INVALID_PARAMS, RequestError
from osiris.lsp.model_choice import ModelChoice

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.execution.agent_host import Chat
    from osiris.lsp.agent_questions import AgentQuestions
    from osiris.lsp.conversation import Conversation, Event
    from osiris.lsp.session import Session

T = TypeVar("T")

CHAT_EVENT = "osiris/chatEvent"
MOST_IDLE = 20  # the others are opened again when somebody goes on with them
_LONGEST_SHOWN = 600
_LONGEST_TITLE = 80
_END_SECONDS = 2.0


class Chats:
    """Opens conversations, has them answered, applies and runs what they propose."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open: dict[str, Conversation] = {}
        self._closed = False
        self._reports: dict[Conversation, Callable[[str], None]] = {}
        self.models = ModelChoice(session)

    # -- which project, which conversation

    def project_for(self, uri: str | None) -> Project:
        """The project of a document, or of the first folder, as the agent sees it: by the files alone.

        Raises RequestError where there is none.
        """
        from osiris.core.project import Project

        found = self._session.projects.project_of(path_of(uri) if uri is not None else None)
        if found is None:
            raise RequestError("Open a folder first: the agent works on a project.")
        return Project(found.root)  # of its own, as it is used in threads

    def pipeline_path(self, project: Project, uri: str | None) -> str | None:
        """The path of a document in the project; None for one that is no file. Raises ValidationError for a file that
        cannot be a pipeline of it."""
        from osiris.core.agent.proposals import checked_path

        path = path_of(uri) if uri is not None else None
        return None if path is None else checked_path(project, project.relative(path))

    def usable(self, project: Project, path: Path | None) -> bool:
        """Whether a model may be asked about a file of the project (None: about a new one)."""
        from osiris.core.project_scan import is_oml_name

        named = path is None or (is_oml_name(path.name) and path.is_relative_to(project.root))
        return named and self.models.usable(project)

    async def start(self, uri: str | None, provider: str | None = None, model: str | None = None) -> Conversation:
        """A new conversation about a document, or about the project. Raises OsirisError where no model can be asked,
        MissingPackageError where the package is absent that does so."""
        project = self.project_for(uri)
        path = self.pipeline_path(project, uri)
        _require_packages()
        await self.look_for_keys(provider)
        return await self._opened(project, path=path, provider=provider, model=model)

    async def get(self, conversation: str | None, uri: str | None = None) -> Conversation:
        """The conversation of this id, also one of another session. Raises OsirisError when the project has none."""
        if not conversation:
            raise RequestError('The command needs a conversation: {"conversation": "chat_..."}.', INVALID_PARAMS)
        found = self._open.pop(conversation, None)
        if found is None or (found.outdated and not found.busy):
            project = self.project_for(uri)
            await self.look_for_keys()
            return await self._opened(project, conversation=conversation)
        self._open[conversation] = found  # the one that was used last
        self.require_allowed(found.chat.project)
        return found

    async def prompt(self, message: str, conversation: str | None, uri: str | None) -> str:
        """All that would be sent for a message, masked; nothing is sent, and no conversation begun."""
        from osiris.lsp.agent_questions import AgentQuestions

        project = self.project_for(uri)
        path = self.pipeline_path(project, uri)
        questions = AgentQuestions(self._session, project)
        await self.look_for_keys()

        def work() -> str:
            chat = self._connect(project, questions, conversation=conversation, path=path, keep=False)
            return chat.agent.first_request(message)

        return await _said(asyncio.to_thread(work))

    def _connect(self, project: Project, questions: AgentQuestions, **options: Any) -> Chat:
        from osiris.execution.agent_host import AskingHost, open_chat

        host = AskingHost(project, questions.ask)
        chosen = self.models.settings()
        editor = self.models.of_editor(chosen, questions.loop, options.get("model"))
        return open_chat(project, host, settings=chosen, editor=editor, heard=questions.heard, **options)

    async def _opened(self, project: Project, **options: Any) -> Conversation:
        from osiris.lsp.agent_questions import AgentQuestions
        from osiris.lsp.conversation import Conversation

        questions = AgentQuestions(self._session, project)
        chat = await _said(asyncio.to_thread(self._connect, project, questions, **options))
        made = self._open.setdefault(chat.context.id, Conversation(chat, questions))
        idle = [one for one in self._open.values() if not one.busy and one is not made]
        for one in idle[: max(0, len(self._open) - MOST_IDLE)]:
            del self._open[one.id]
        return made

    async def look_for_keys(self, provider: str | None = None) -> None:
        """Have the keys that the client keeps, as they are now."""
        if await self.models.look_for_keys(provider):
            self.choice_changed()

    def choice_changed(self) -> None:
        """Another model, or another key, is chosen: conversations go on with it from their next message."""
        self._open = {known: one for known, one in self._open.items() if one.busy}
        for one in self._open.values():
            one.outdated = True

    def require_allowed(self, project: Project) -> None:
        """Raise AiForbiddenError when the project forbids AI as it is now."""
        from osiris.core.config import Config
        from osiris.core.llm.errors import AiForbiddenError

        if not Config.load(project.root).ai.enabled:
            raise AiForbiddenError("This project does not allow AI.", hint="ai.enabled in its osiris.yaml says so.")

    # -- answering

    def send(self, conversation: Conversation, message: str, token: str | int | None = None) -> None:
        """Begin to answer a message. Raises RequestError while the one before is being answered, and as ``start``."""
        if conversation.busy:
            raise RequestError("This conversation is being answered. Wait for that, or stop it first.")
        _require_packages()
        path, lines = conversation.chat.context.path, ChatLines()
        document = self._document(conversation.chat.project, path)
        open_text = document.replace("\r\n", "\n") if document is not None else None
        about = conversation.chat.context.title or " ".join(message.split())[:_LONGEST_TITLE]
        ended = conversation.answer(message, open_text, lambda event: self._tell(conversation, event, lines))
        self._session.start(self._attend(conversation, ended, about, token), f"answering {conversation.id}")

    def _document(self, project: Project, path: str | None) -> str | None:
        """The text of a pipeline that is open."""
        found = self._session.documents.of_file(project.root / path) if path is not None else None
        return found.text if found is not None else None

    async def _attend(
        self, conversation: Conversation, ended: asyncio.Future[Event], about: str, token: str | int | None
    ) -> None:
        """Show progress until the answer has ended; whoever cancels that cancels the answer."""
        if self._session.client.chat_events and token is None:
            await asyncio.shield(ended)
            return
        async with self._session.progress(f"Osiris: {about}", token) as progress:
            self._reports[conversation] = progress.report
            try:
                last = await asyncio.shield(ended)
            except asyncio.CancelledError:
                conversation.stop()
                raise
            finally:
                self._reports.pop(conversation, None)
        if not self._session.client.chat_events:
            await self._follow_up(conversation, last)

    async def _follow_up(self, conversation: Conversation, last: Event) -> None:
        """What a window of its own would offer at the end of an answer."""
        from osiris.lsp.agent_questions import ask_user

        if last["event"] == "error":
            said = " ".join(part for part in (last["message"], last["hint"]) if part)
            self._session.show(said, types.MessageType.Error)
        if last["event"] != "response":
            return
        proposal, question = last["proposal"], last["question"]
        if question is not None:
            chosen = await ask_user(self._session, question["question"], tuple(question["options"]))
            if chosen is not None:
                self.send(conversation, chosen)
        elif proposal is not None and proposal["ok"]:
            try:
                await self.apply(conversation)
            except RequestError as refused:
                self._session.show(str(refused), types.MessageType.Warning)
        else:
            said = str(last["problem"] or last["text"])
            kind = types.MessageType.Warning if last["problem"] else types.MessageType.Info
            self._session.show(said if len(said) <= _LONGEST_SHOWN else f"{said[:_LONGEST_SHOWN]}…", kind)

    def _tell(self, conversation: Conversation, event: Event, lines: ChatLines) -> None:
        if self._closed:
            return
        report = self._reports.get(conversation)
        if report is not None and (doing := short(event)) is not None:
            report(doing)
        if self._session.client.chat_events:
            self._session.protocol.notify(CHAT_EVENT, {"conversation": conversation.id, "event": event})
            return
        for level, line in lines.lines(event):
            self._session.log(f"Osiris: {conversation.chat.masker.text(line)}", level)

    # -- what comes of it

    async def apply(self, conversation: Conversation) -> bool:
        """Offer what was proposed last to the user as an edit; whether it was applied. Raises RequestError for a draft
        with errors, ValidationError for one that cannot be had back."""
        from osiris.lsp.proposal_edits import apply_proposal

        if conversation.busy:
            raise RequestError("This conversation is being answered. Wait for that, or stop it first.")
        proposal = conversation.proposal or await asyncio.to_thread(conversation.chat.draft)
        if proposal is None:
            raise RequestError("Nothing has been proposed in this conversation yet.")
        return await apply_proposal(self._session, conversation.chat.project, proposal)

    async def run(self, conversation: Conversation, token: str | int | None = None) -> str:
        """Run the saved pipeline of the conversation, when it is what was proposed; the id of the run."""
        from osiris.lsp.packages import require_run_packages

        path = await asyncio.to_thread(_say_run, conversation)
        await require_run_packages(self._session, path)
        return await self._session.runs.start(path, None, {}, token)

    # -- the end

    def stop(self, conversation: str | None) -> int:
        """End the answer of a conversation soon, or all answers; how many there are."""
        chosen = [one for one in self._open.values() if conversation is None or one.id == conversation]
        return sum(one.stop() for one in chosen)

    def stop_all(self) -> None:
        """End every answer soon."""
        self.stop(None)

    def close(self) -> None:
        """End every answer with what it is doing, and tell nobody any more."""
        self._closed = True
        self.stop_all()
        end = time.monotonic() + _END_SECONDS
        for conversation in self._open.values():
            conversation.wait(end - time.monotonic())


def _require_packages() -> None:
    from osiris.core.lookup import require_packages

    importlib.invalidate_caches()  # an editor installs while the server runs
    require_packages(("openai",), "Talking to an AI model")


async def _said(connecting: Awaitable[T]) -> T:
    """What comes of connecting to a model. Raises RequestError that also says how to set one up."""
    from osiris.core.error_taxonomy import describe
    from osiris.core.llm.errors import NoModelError

    try:
        return await connecting
    except NoModelError as error:
        raise RequestError(f"{describe(error)} {error.hint or ''}".strip()) from error


def _say_run(conversation: Conversation) -> Path:
    from osiris.core.agent.proposals import with_plain_ends
    from osiris.core.source import read_source

    chat = conversation.chat
    draft = chat.draft()
    if draft is None or not draft.ok:
        raise RequestError("There is no pipeline of this conversation that compiles yet.")
    path = chat.project.root / draft.path
    there = read_source(path) if path.exists() else None
    proposed = chat.context.draft
    if there is None or proposed is None or with_plain_ends(there) != proposed:
        raise RequestError(f"Apply the proposal and save {draft.path} first: a run takes the file as it is saved.")
    chat.say_run()
    return path
