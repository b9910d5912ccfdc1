"""A conversation with the agent on the command line: one message, or a session on a terminal."""

from __future__ import annotations

import contextlib
import importlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from osiris.cli.chat_view import JsonView, TextView, View
from osiris.cli.ctrl_c import At, CtrlC
from osiris.cli.failures import DID_NOT_WORK, UsageProblem, report, say_error
from osiris.cli.source_view import plain_line
from osiris.cli.streams import colour_wanted, paint, write_json_line
from osiris.core.agent.host import Consent
from osiris.core.agent.proposals import Proposal, with_plain_ends
from osiris.core.conversational_agent import AgentResponse
from osiris.core.error_taxonomy import OsirisError
from osiris.core.llm.errors import ModelCancelledError
from osiris.core.project import Project
from osiris.core.source import read_source
from osiris.execution.agent_host import AskingHost, Chat, open_chat
from osiris.execution.process import python_command
from osiris.language.suggest import nearest

COMMANDS = {
    "/discover": "read the tables of every connection, or of those that you name: /discover @mysql.shop",
    "/validate": "check the proposal, or the pipeline, as things are now",
    "/diff": "show what the proposal would change",
    "/save": "write the proposal to its pipeline",
    "/run": "run the saved pipeline",
    "/model": "say which model answers; /model NAME or /model PROVIDER/NAME takes another one",
    "/new": "begin a new conversation; this one is kept",
    "/help": "show this list",
    "/quit": "leave; osiris chat goes on here the next time",
}
_SHORT = {"/exit": "/quit", "/q": "/quit", "/?": "/help"}


@dataclass(frozen=True)
class Start:
    """What a session begins with. ``about``: the pipeline, relative to the project; ``conversation``: one to go on
    with; ``model``: ``MODEL`` or ``PROVIDER/MODEL``, None for the one that is set up."""

    project: Project
    about: str | None
    conversation: str | None
    model: str | None
    allow_connect: bool = False


def provider_and_model(text: str | None) -> tuple[str | None, str | None]:
    """``PROVIDER/MODEL`` in its two parts; a name with a slash that begins with no provider is all model. ``editor`` is
    a provider that needs no model."""
    from osiris.core.llm.providers import EDITOR, NAMES

    if text == EDITOR:
        return EDITOR, None
    provider, slash, model = (text or "").partition("/")
    return (provider, model) if slash and model and provider in NAMES else (None, text)


class Session:
    """One conversation, until the user leaves or the one answer is there."""

    def __init__(self, start: Start, *, as_json: bool, terminal: bool) -> None:
        """``terminal``: the user is there to be asked. Raises as ``open_chat`` does."""
        self._start = start
        self._terminal = terminal
        self._view: View = JsonView() if as_json else TextView(terminal=terminal)
        self._ctrl_c = CtrlC()
        self._options: tuple[str, ...] = ()
        self._proposal: Proposal | None = None  # whose diff the user has seen
        provider, model = provider_and_model(start.model)
        self._chat: Chat = open_chat(
            start.project,
            AskingHost(start.project, self._agrees),
            conversation=start.conversation,
            path=start.about,
            provider=provider,
            model=model,
            heard=self._view.heard,
        )

    # ---- One message -----------------------------------------------------------------------------------------------

    def answer(self, message: str) -> int:
        """Say ``message``, show the answer; the exit code."""
        model, chat = self._chat.agent.model.models[0], self._chat
        if isinstance(self._view, JsonView):
            about = {"conversation": chat.context.id, "provider": model.provider, "model": model.model}
            write_json_line({"event": "conversation", **about, "host": model.host, "path": chat.context.path})
        with self._ctrl_c.owned():
            response = self._turn(message)
        if isinstance(self._view, TextView):
            how = f'osiris chat --resume {chat.context.id} -m "..."'
            if response is not None and response.question is not None:
                click.echo(f"Answer with: {how}", err=True)
            elif response is not None and response.proposal is not None and response.proposal.ok:
                click.echo(
                    f"Nothing was written. To write it: osiris chat --resume {chat.context.id}, then /save.", err=True
                )
        if self._ctrl_c.asked.is_set():
            return 130
        bad = response is None or response.problem is not None
        return DID_NOT_WORK if bad or (response is not None and _is_draft(response)) else 0

    def _turn(self, message: str) -> AgentResponse | None:
        """The answer, shown as it arrives; None when there is none. Ctrl-C stops it."""
        asked, chat = self._ctrl_c.asked, self._chat
        asked.clear()
        response: AgentResponse | None = None
        try:
            with (
                self._ctrl_c.during(At.ANSWER),
                contextlib.closing(chat.stream(message, cancel=asked)) as events,
            ):
                for event in events:
                    if isinstance(event, AgentResponse):
                        response = event
                        self._view.end(event, chat.masker, chat.context.id)
                    else:
                        self._view.show(event, chat.masker)
        except (KeyboardInterrupt, ModelCancelledError):
            asked.set()
            self._view.failed(ModelCancelledError("Stopped."), chat.masker)
        except OsirisError as error:
            self._view.failed(error, chat.masker)
        return response

    def _agrees(self, what: Consent, question: str) -> bool:
        """What the user says to a question of the agent; without a terminal only what an option has said."""
        shown = plain_line(self._chat.masker.text(question))
        answer: bool | None = None
        if what is Consent.CONNECT and self._start.allow_connect:
            answer = True
        elif self._terminal:
            answer = self._yes(shown)
        self._view.consent(what, shown, answer)
        return answer is True

    def _yes(self, question: str) -> bool:
        if isinstance(self._view, TextView):
            self._view.break_line()
        try:
            return self._ctrl_c.line(f"{question} [y/N] ").strip().casefold() in ("y", "yes")
        except EOFError:
            click.echo()
        except KeyboardInterrupt:
            self._ctrl_c.asked.set()
            click.echo()
        return False

    # ---- A session on a terminal -----------------------------------------------------------------------------------

    def talk(self) -> int:
        """Talk until the user leaves."""
        with self._ctrl_c.owned():
            _remember(self._chat)
            self._greet()
            return self._talk()

    def _talk(self) -> int:
        while True:
            try:
                line = self._line()
            except EOFError:
                click.echo()
                return 0
            except UnicodeDecodeError:
                say_error("That is no text in the encoding of this terminal.")
                continue
            except KeyboardInterrupt:
                click.echo()
                continue
            if line == "/quit" or _SHORT.get(line) == "/quit":
                return 0
            if line.startswith("/"):
                self._obey(line)
            elif line:
                self._say(line)

    def _line(self) -> str:
        """What the user types: one line, or several of which all but the last end with a backslash."""
        text = self._ctrl_c.line("> ")
        while text.endswith("\\"):
            text = f"{text[:-1]}\n{self._ctrl_c.line('. ')}"
        return text.strip()

    def _greet(self) -> None:
        context, model = self._chat.context, self._chat.agent.model.models[0]
        on = colour_wanted(sys.stdout)
        about = f", about {context.path}" if context.path else ""
        click.echo(paint(f"{model.model} at {model.host}{about}. /help shows what you can type.", "strong", on=on))
        click.echo(paint("What you write and the names of tables and columns are sent there; rows of data only if you "
                         "agree.", "faint", on=on))  # fmt: skip
        if context.messages:
            click.echo(f"Going on with “{plain_line(context.title)}”. /new begins another conversation.")
            if context.draft is not None:
                word = "a proposal that compiles" if context.draft_ok else "a draft with errors"
                click.echo(f"It has {word}: /diff shows it.")

    def _say(self, line: str) -> None:
        if line.isdecimal() and 1 <= int(line) <= len(self._options):
            line = self._options[int(line) - 1]
        self._options = ()
        response = self._turn(line)
        if response is None:
            return
        if response.question is not None:
            self._options = response.question.options
            click.echo("Type a number, or your own answer.")
        if response.proposal is not None:
            self._proposal = response.proposal
            if response.proposal.ok:
                click.echo("/save writes it.")

    def _obey(self, line: str) -> None:
        word, *rest = line.split()
        word = _SHORT.get(word, word)
        if word not in COMMANDS:
            near = nearest(word, list(COMMANDS))
            say_error(f"There is no command {plain_line(word)}.", f"Did you mean {near}?" if near else "Try /help.")
            return
        commands = {
            "/discover": lambda: self._discover(tuple(rest)),
            "/validate": self._validate,
            "/diff": self._diff,
            "/save": self._save,
            "/run": self._run,
            "/model": lambda: self._model(rest[0] if rest else None),
            "/new": self._new,
            "/help": _help,
        }
        try:
            with self._ctrl_c.during(At.QUESTION):
                commands[word]()
        except UsageProblem as problem:
            say_error(problem.message)
        except OsirisError as error:
            report(error)
        except KeyboardInterrupt:
            click.echo("\nStopped.", err=True)

    def _discover(self, references: tuple[str, ...]) -> None:
        self._osiris("discover", "--", *references)

    def _latest(self) -> Proposal | None:
        """The last proposal; one of an earlier session as things are now."""
        return self._proposal if self._proposal is not None else self._chat.draft()

    def _validate(self) -> None:
        found, path = self._latest(), self._chat.context.path
        if found is None and path is not None:
            from osiris.core.agent.proposals import propose

            found = propose(self._start.project, read_source(self._start.project.root / path), path)
        if found is None:
            click.echo("There is no proposal yet.")
            return
        from osiris.core.agent.proposals import checked

        now = checked(self._start.project, found)
        assert isinstance(self._view, TextView)
        self._view.findings(now, self._chat.masker)
        click.echo(f"{now.path}: {'compiles' if now.ok else 'does not compile'}.")

    def _diff(self) -> Proposal | None:
        """Show what the latest proposal would change; the proposal."""
        found = self._latest()
        if found is None:
            click.echo("There is no proposal yet.")
            return None
        assert isinstance(self._view, TextView)
        if _is_saved(self._start.project, found):
            click.echo(f"{found.path} has this text already.")
        else:
            self._view.diff(found, self._chat.masker)
        self._view.findings(found, self._chat.masker)
        return found

    def _save(self) -> None:
        found = self._proposal
        if found is None:  # it is of an earlier session: nobody has seen what it would change now
            found = self._diff()
            if found is None:
                return
            saved = _is_saved(self._start.project, found)
            if found.ok and not saved and not self._yes(f"Write this to {found.path}?"):
                click.echo("Nothing was written.")
                return
        unchanged = _is_saved(self._start.project, found)
        path = self._start.project.relative(self._chat.agent.save(found))
        self._proposal = found
        click.echo(f"{path} is unchanged: it has this text already." if unchanged else f"Wrote {path}. /run runs it.")

    def _run(self) -> None:
        found = self._latest()
        if found is None or not _is_saved(self._start.project, found):
            click.echo("Only a saved pipeline can be run: /save first." if found else "There is no proposal yet.")
            return
        self._chat.say_run()
        self._osiris("run", "--", found.path)

    def _osiris(self, *arguments: str) -> None:
        """Another command, with this terminal, in the project."""
        with _left_to_the_child():
            subprocess.run([*python_command("osiris"), *arguments], cwd=self._start.project.root, check=False)

    def _model(self, name: str | None) -> None:
        if name is not None:
            self._chat.use_model(*provider_and_model(name))
        model = self._chat.agent.model.models[0]
        click.echo(f"{model.model} at {model.host} answers.")

    def _new(self) -> None:
        self._chat.begin(self._start.about)
        self._proposal, self._options = None, ()
        click.echo("A new conversation.")


def _is_draft(response: AgentResponse) -> bool:
    return response.proposal is not None and not response.proposal.ok


def _is_saved(project: Project, proposal: Proposal) -> bool:
    file: Path = project.root / proposal.path
    return file.exists() and with_plain_ends(read_source(file)) == proposal.text


@contextlib.contextmanager
def _left_to_the_child() -> Iterator[None]:
    """Inside the block Ctrl-C is for the program that was started, which stops in order."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)  # SIG_IGN would be inherited
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _help() -> None:
    width = max(map(len, COMMANDS))
    for word, what in COMMANDS.items():
        click.echo(f"{word.ljust(width)}  {what}")
    click.echo("Anything else is said to the model. A line that ends with \\ goes on. Ctrl-C stops an answer.")


def _remember(chat: Chat) -> None:
    """Arrow keys bring back what was said, where the system has readline; nothing more is kept for that."""
    with contextlib.suppress(ImportError):  # Windows has none
        readline: Any = importlib.import_module("readline")
        readline.set_auto_history(True)
        for message in chat.context.messages:
            if message.role == "user":
                readline.add_history(" ".join(message.text.split()))
