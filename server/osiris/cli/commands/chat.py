"""``osiris chat``: write pipelines in a conversation; see what was sent, and which conversations there are."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.arguments import existing_file, format_option
from osiris.cli.failures import DID_NOT_WORK, UsageProblem
from osiris.cli.streams import write_json
from osiris.cli.table import print_table

if TYPE_CHECKING:
    from osiris.core.conversation_store import ConversationStore
    from osiris.core.project import Project

_PLACEHOLDER = "(what you write)"
_LATEST = "latest"


class _Talk(click.Command):
    """``osiris chat``, and the two words that may stand behind it in place of a file."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command, or of the one of ``list`` and ``log`` that was named."""
        other = _OTHERS.get(args[0]) if args else None
        if other is not None:
            return other.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_Talk, epilog="osiris chat list shows the conversations; osiris chat log what was sent, and where.")
@click.argument("file", required=False)
@click.option("-m", "--message", metavar="TEXT", help="Say this and print the answer; - reads it from standard input.")
@format_option("text", "json")
@click.option(
    "--resume", metavar="ID", is_flag=False, flag_value=_LATEST, help="Go on with this conversation; alone: the latest."
)
@click.option("--new", is_flag=True, help="Begin a new conversation.")
@click.option("--model", metavar="MODEL", help="Use this model, or provider/model, in place of the one set up.")
@click.option("--allow-connect", is_flag=True, help="Let the agent read tables and columns of every connection.")
@click.option("--show-prompt", is_flag=True, help="Print what would be sent, and to whom, and send nothing.")
def command(
    file: str | None,
    message: str | None,
    layout: str,
    resume: str | None,
    new: bool,
    model: str | None,
    allow_connect: bool,
    show_prompt: bool,
) -> int:
    """Write a pipeline, or change the OML FILE, in a conversation with an AI model that you have set up.

    What the model proposes has passed every check and the compiler, or is marked as a draft. Nothing is written before
    you have seen the change and said /save, and nothing runs before you say /run.

    On a terminal it goes on with the latest conversation about FILE (without one: of the project), with --new it begins
    another. With -m it begins a new one unless you say --resume. Exit codes with -m: 0 an answer, 1 none, or a draft
    that does not compile.
    """
    from osiris.core.project import Project

    if resume is not None and (new or file is not None):
        raise UsageProblem("--resume goes without FILE and --new: that conversation has its own pipeline.")
    if layout == "json" and (message is None or show_prompt):
        raise UsageProblem("--format json goes with -m, and not with --show-prompt.")
    if message is None and not show_prompt and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageProblem("There is no terminal to talk in. Say it with -m TEXT, or -m - for standard input.")
    path = existing_file(file) if file is not None else None
    project = Project.find(path or Path.cwd())
    about = None
    if path is not None:
        from osiris.core.agent.proposals import checked_path

        about = checked_path(project, project.relative(path))
    text = _text_of(message)
    if show_prompt:
        return _show_prompt(project, about, _conversation(project, resume), model, text)
    from osiris.cli.chat_session import Session, Start
    from osiris.cli.chat_view import JsonView
    from osiris.core.error_taxonomy import OsirisError
    from osiris.core.secrets_masking import Masker

    if text is None:
        chosen = _conversation(project, resume) or (None if new else _latest(project, about))
        start = Start(project, about, chosen, model, allow_connect=allow_connect)
        return Session(start, as_json=False, terminal=True).talk()
    start = Start(project, about, _conversation(project, resume), model, allow_connect=allow_connect)
    try:
        session = Session(start, as_json=layout == "json", terminal=False)
    except OsirisError as error:
        if layout != "json":
            raise
        JsonView().failed(error, Masker())
        return DID_NOT_WORK
    return session.answer(text)


def _text_of(message: str | None) -> str | None:
    if message == "-":
        message = sys.stdin.buffer.read().decode("utf-8", "replace") if sys.stdin is not None else ""
    if message is not None and not message.strip():
        raise UsageProblem("The message is empty.")
    return message


def _conversation(project: Project, resume: str | None) -> str | None:
    """The id that was meant: whole, or its beginning, or the latest. Raises UsageProblem."""
    if resume is None:
        return None
    found = _store(project).listed()
    if resume == _LATEST and found:
        return found[0].id
    meant = [one.id for one in found if one.id.startswith(resume)]
    if len(meant) == 1 or resume in meant:
        return resume if resume in meant else meant[0]
    if len(meant) > 1:
        raise UsageProblem(f"Several conversations begin with {resume}. osiris chat list shows them.")
    wanted = "no conversation yet" if resume == _LATEST else f"no conversation {resume}"
    raise UsageProblem(f"This project has {wanted}. osiris chat list shows those there are.")


def _latest(project: Project, about: str | None) -> str | None:
    """The conversation that a session on a terminal goes on with."""
    found = (one.id for one in _store(project).listed() if about is None or one.path == about)
    return next(found, None)


def _show_prompt(
    project: Project, about: str | None, conversation: str | None, model: str | None, text: str | None
) -> int:
    from osiris.cli.chat_session import provider_and_model
    from osiris.execution.agent_host import AskingHost, open_chat

    provider, name = provider_and_model(model)
    chat = open_chat(
        project,
        AskingHost(project),
        conversation=conversation,
        path=about,
        provider=provider,
        model=name,
        keep=False,
    )
    click.echo(chat.agent.first_request(text or _PLACEHOLDER))
    return 0


def _store(project: Project) -> ConversationStore:
    from osiris.core.conversation_store import ConversationStore

    return ConversationStore(project.root)


@click.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@format_option("text", "json")
def list_conversations(limit: int, layout: str) -> None:
    """List the conversations about the project, the latest first."""
    import dataclasses

    from osiris.core.project import Project

    found = _store(Project.find(Path.cwd())).listed()[:limit]
    if layout == "json":
        write_json([{**dataclasses.asdict(one), "changed_at": _utc(one.changed_at)} for one in found])
    elif not found:
        click.echo("No conversations yet.")
    else:
        head = ["CONVERSATION", "CHANGED", "MESSAGES", "PIPELINE", "BEGINS"]
        print_table(
            head, [[one.id, _when(one.changed_at), str(one.messages), one.path or "", one.title] for one in found]
        )


@click.command("log")
@click.argument("conversation", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@format_option("text", "json")
def show_log(conversation: str | None, limit: int, layout: str) -> None:
    """Show what was sent to AI models about the project, the latest first; of one CONVERSATION, or of all.

    A line for each request: when, to which model and host, how many bytes, which tables it told of, and whether rows of
    data may have been in it. The words themselves stand in no log.
    """
    import dataclasses

    from osiris.core.project import Project

    project = Project.find(Path.cwd())
    sent = _store(project).sent(_conversation(project, conversation))[:limit]
    if layout == "json":
        write_json([{**dataclasses.asdict(one), "at": _utc(one.at)} for one in sent])
    elif not sent:
        click.echo("Nothing was sent to an AI model about this project.")
    else:
        head = ["TIME", "MODEL", "HOST", "BYTES", "TOKENS", "TABLES", "ROWS", "OUTCOME"]
        rows = []
        for one in sent:
            tokens = "" if one.input_tokens is None else f"{one.input_tokens:,} + {one.output_tokens or 0:,}"
            tables = ", ".join(one.tables) or "none"
            rows.append([_when(one.at), one.model, one.host, f"{one.bytes:,}", tokens, tables,
                         "allowed" if one.rows else "none", one.outcome])  # fmt: skip
        print_table(head, rows)


_OTHERS = {"list": list_conversations, "log": show_log}


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")


def _utc(seconds: float) -> str:
    from datetime import UTC

    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
