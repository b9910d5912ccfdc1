"""Conversations with the agent, kept in the state file: after the end of a process, and in another window, one goes on
where it was. What was sent to models is kept as well: when, to whom and how much, never the words."""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from osiris.core.agent.conversation import ChatState, ConversationContext
from osiris.core.error_taxonomy import ValidationError
from osiris.core.file_lock import FileLock
from osiris.core.files import private_folder
from osiris.core.llm.messages import Message, ToolCall, Usage
from osiris.core.secrets_masking import Masker
from osiris.core.state_store import StateStore

KEEP = timedelta(days=30)
MOST = 200
LOCK_FOLDER = "chat"


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a list. ``changed_at``: seconds since 1970 (UTC)."""

    id: str
    title: str
    state: str
    path: str | None
    messages: int
    changed_at: float


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request that was sent to a model. ``at``: seconds since 1970 (UTC); ``tables``: what it told of, by now."""

    at: float
    conversation: str
    provider: str
    model: str
    host: str
    bytes: int
    tables: tuple[str, ...]
    rows: bool
    outcome: str
    input_tokens: int | None
    output_tokens: int | None


class ConversationStore:
    """The conversations about one project. All methods raise as those of ``StateStore`` do."""

    def __init__(self, root: Path, store: StateStore | None = None, masker: Masker | None = None) -> None:
        """``root``: the project's folder. ``masker``: what knows the secrets that must not be kept."""
        self.project = str(root)
        self.state = store or StateStore()
        self.masker = masker or Masker()
        self._saved: dict[str, tuple[Message, ...]] = {}
        self._open_request: int | None = None

    def new(self, path: str | None = None) -> ConversationContext:
        """A conversation that has just begun, about the pipeline ``path``. Old ones are cleaned up."""
        context = ConversationContext(f"chat_{int(time.time()):x}_{secrets.token_hex(5)}", path=path)
        self.clean()
        self.save(context)
        return context

    def lock(self, conversation: str) -> FileLock:
        """The lock of whoever goes on with a conversation: two windows must not answer at once. Not taken yet."""
        folder = self.state.path.parent / LOCK_FOLDER
        private_folder(folder)
        return FileLock(folder / f"{conversation}.lock")

    def save(self, context: ConversationContext) -> None:
        """Keep the conversation as it is now, in one transaction, secrets masked."""
        now = tuple(context.messages)
        before = self._saved.get(context.id)
        first = len(before) if before is not None and now[: len(before)] == before else 0

        def work(db: sqlite3.Connection) -> None:
            _save_header(db, self.project, context, self.masker)
            db.execute("DELETE FROM conversation_messages WHERE conversation = ? AND number >= ?", (context.id, first))
            rows = [(context.id, n, *_message_row(now[n], self.masker)) for n in range(first, len(now))]
            db.executemany("INSERT INTO conversation_messages VALUES (?, ?, ?, ?, ?, ?)", rows)

        self.state.write(work)
        self._saved[context.id] = now

    def load(self, conversation: str) -> ConversationContext:
        """The conversation as it was left. Raises ValidationError when this project has none of that id."""

        def work(db: sqlite3.Connection) -> ConversationContext | None:
            header = db.execute(
                "SELECT state, path, draft, draft_ok, allow_rows, tables_told, input_tokens, output_tokens, "
                "draft_before FROM conversations WHERE id = ? AND project = ?",
                (conversation, self.project),
            ).fetchone()
            messages = db.execute(
                "SELECT role, text, calls, answers FROM conversation_messages WHERE conversation = ? ORDER BY number",
                (conversation,),
            ).fetchall()
            return None if header is None else _context(conversation, header, messages)

        found = self.state.read(work, absent=None)
        if found is None:
            raise ValidationError(
                f"This project has no conversation {conversation}.", hint="osiris chat list shows those there are."
            )
        self._saved[conversation] = tuple(found.messages)
        return found

    def changed_at(self, conversation: str) -> float | None:
        """When the conversation was saved last (seconds since 1970, UTC); None when there is none of that id."""
        query = "SELECT changed_at FROM conversations WHERE id = ? AND project = ?"
        found: Any = self.state.read(lambda db: db.execute(query, (conversation, self.project)).fetchone(), absent=None)
        return None if found is None else float(found[0])

    def listed(self) -> list[Listed]:
        """The conversations in which something was said, the latest first."""
        query = (
            "SELECT c.id, c.title, c.state, c.path, COUNT(m.number), c.changed_at FROM conversations c "
            "JOIN conversation_messages m ON m.conversation = c.id WHERE c.project = ? "
            "GROUP BY c.id ORDER BY c.changed_at DESC, c.id DESC"
        )
        rows: list[Any] = self.state.read(lambda db: db.execute(query, (self.project,)).fetchall(), absent=[])
        return [Listed(*row) for row in rows]

    def clean(self) -> None:
        """Remove conversations that nobody has touched for 30 days, those above 200, and what was sent in them."""

        def work(db: sqlite3.Connection) -> set[str]:
            limit = time.time() - KEEP.total_seconds()
            db.execute("DELETE FROM conversations WHERE changed_at < ?", (limit,))
            latest = "SELECT id FROM conversations ORDER BY changed_at DESC LIMIT ?"
            db.execute(f"DELETE FROM conversations WHERE id NOT IN ({latest})", (MOST,))
            db.execute("DELETE FROM model_requests WHERE at < ?", (limit,))
            return {str(row[0]) for row in db.execute("SELECT id FROM conversations")}

        if self.state.path.exists():
            left = self.state.write(work)
            for lock in (self.state.path.parent / LOCK_FOLDER).glob("*.lock"):
                if lock.stem not in left:
                    with contextlib.suppress(OSError):
                        lock.unlink()

    def note(self, context: ConversationContext, event: Mapping[str, Any]) -> None:
        """Keep what an event of an ``LLMAdapter`` says of a request."""
        kind = event["event"]
        if kind == "llm_request":
            row = (
                context.id,
                self.project,
                time.time(),
                event["provider"],
                event["model"],
                event["host"],
                event["bytes"],
                json.dumps(sorted(context.tables)),
                context.allow_rows,
                "no answer",
            )
            statement = (
                "INSERT INTO model_requests (conversation, project, at, provider, model, host, bytes, tables_told, "
                "rows_sent, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            )
            self._open_request = self.state.write(lambda db: db.execute(statement, row).lastrowid)
        elif kind in ("llm_response", "llm_retry", "llm_error") and self._open_request is not None:
            outcome = "answered" if kind == "llm_response" else str(event["reason"])
            values = (outcome, event.get("input_tokens"), event.get("output_tokens"), self._open_request)
            update = "UPDATE model_requests SET outcome = ?, input_tokens = ?, output_tokens = ? WHERE id = ?"
            self.state.write(lambda db: db.execute(update, values))
            self._open_request = None

    def sent(self, conversation: str | None = None) -> list[SentRequest]:
        """What was sent, the latest first; of one conversation or of all of the project."""
        query = (
            "SELECT at, conversation, provider, model, host, bytes, tables_told, rows_sent, outcome, input_tokens, "
            "output_tokens FROM model_requests WHERE project = ? AND (? IS NULL OR conversation = ?) ORDER BY id DESC"
        )
        where = (self.project, conversation, conversation)
        rows: list[Any] = self.state.read(lambda db: db.execute(query, where).fetchall(), absent=[])
        return [_sent(*row) for row in rows]


def _sent(
    at: float,
    conversation: str,
    provider: str,
    model: str,
    host: str,
    size: int,
    tables: str,
    rows: int,
    outcome: str,
    *tokens: int | None,
) -> SentRequest:
    told = tuple(json.loads(tables))
    return SentRequest(at, conversation, provider, model, host, size, told, bool(rows), outcome, tokens[0], tokens[1])


def _save_header(db: sqlite3.Connection, project: str, context: ConversationContext, masker: Masker) -> None:
    now = time.time()
    statement = (
        "INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "title = excluded.title, state = excluded.state, path = excluded.path, draft = excluded.draft, "
        "draft_ok = excluded.draft_ok, allow_rows = excluded.allow_rows, tables_told = excluded.tables_told, "
        "input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens, "
        "changed_at = excluded.changed_at, draft_before = excluded.draft_before"
    )
    values = (
        context.id,
        project,
        masker.text(context.title),
        context.state.value,
        context.path,
        None if context.draft is None else masker.text(context.draft),
        context.draft_ok,
        context.allow_rows,
        json.dumps(sorted(context.tables)),
        context.usage.input_tokens,
        context.usage.output_tokens,
        now,
        now,
        None if context.draft_before is None else masker.text(context.draft_before),
    )
    db.execute(statement, values)


def _message_row(message: Message, masker: Masker) -> tuple[str, str, str, str | None]:
    calls = [[call.id, call.name, masker.text(call.arguments)] for call in message.calls]
    return message.role, masker.text(message.text), json.dumps(calls), message.answers


def _context(conversation: str, header: tuple[Any, ...], messages: list[tuple[Any, ...]]) -> ConversationContext:
    state, path, draft, draft_ok, allow_rows, tables, input_tokens, output_tokens, draft_before = header
    return ConversationContext(
        conversation,
        [Message(role, text, tuple(ToolCall(*call) for call in json.loads(calls)), answers)
         for role, text, calls, answers in messages],
        ChatState(state),
        path,
        draft,
        bool(draft_ok),
        bool(allow_rows),
        set(json.loads(tables)),
        Usage(input_tokens, output_tokens),
        draft_before,
    )  # fmt: skip
