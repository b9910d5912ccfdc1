"""The user's consent to connect: asked once for what a connection is now, kept for all editors and sessions.

What was agreed to is kept by the fingerprint of the connection, which never holds a secret: when the host, the path,
the user or the names of the variables change, it is another connection, and is asked about anew. Nobody is asked, and
nothing counts as agreed, in a workspace that is not trusted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris.lsp.errors import log

if TYPE_CHECKING:
    from osiris.language.connections import Connection
    from osiris.lsp.connection_use import Target
    from osiris.lsp.session import Session

CONNECT = "Connect"
NOT_NOW = "Not now"

# The fields that say where a connection leads, in the order of the question. No other field is ever shown.
_SHOWN = (
    ("host", "host"),
    ("port", "port"),
    ("url", "URL"),
    ("path", "path"),
    ("root", "folder"),
    ("base_dir", "folder"),
    ("database", "database"),
    ("schema", "schema"),
    ("user", "user"),
)
_LONGEST = 200


class Consent:
    """Who was asked about what in this session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._questions: dict[str, asyncio.Task[bool]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def given(self, target: Target) -> bool:
        """Whether the user has agreed to this connection as it is now. Raises OsirisError when nobody can say."""
        if not self._session.settings.trusted:
            return False
        return await asyncio.to_thread(_has_consent, fingerprint_of(target))

    async def ask(self, target: Target) -> bool:
        """Ask for consent unless it was given before; True when the editor may connect.

        Whoever asks while the question is open waits for the same answer. Two questions are never open at once. Raises
        OsirisError when a variable of the connection is not set, or what was agreed to cannot be read or kept.
        """
        if not self._session.settings.trusted:
            return False
        fingerprint = fingerprint_of(target)
        question = self._questions.get(fingerprint)
        if question is None:
            question = self._session.start(self._ask(target, fingerprint), f"consent for {target.name}")
            self._questions[fingerprint] = question
            question.add_done_callback(lambda _: self._questions.pop(fingerprint, None))
        return await asyncio.shield(question)

    async def _ask(self, target: Target, fingerprint: str) -> bool:
        async with self._one_at_a_time:
            if await asyncio.to_thread(_has_consent, fingerprint):
                return True
            if not await self._agrees(question_for(target.connection)) or not self._session.settings.trusted:
                return False
            await asyncio.to_thread(_grant_consent, fingerprint)
            return True

    async def _agrees(self, question: str) -> bool:
        params = {
            "type": types.MessageType.Info.value,
            "message": question,
            "actions": [{"title": CONNECT}, {"title": NOT_NOW}],
        }
        try:
            answer = await self._session.protocol.ask(types.WINDOW_SHOW_MESSAGE_REQUEST, params)
        except JsonRpcException:
            log.info("the client cannot ask its user")
            return False
        return _title(answer) == CONNECT


def question_for(connection: Connection) -> str:
    """What the user is asked: where the connection leads as it is written, and the names of its variables."""
    from osiris.core.secrets_masking import mask_secrets
    from osiris.ide.column_texts import one_line

    fields = connection.fields
    places = [f"{name} {fields[key]}" for key, name in _SHOWN if isinstance(fields.get(key), str | int | float)]
    if connection.variables:
        places.append(f"variable{'' if len(connection.variables) == 1 else 's'} {', '.join(connection.variables)}")
    where = mask_secrets("; ".join(one_line(place, _LONGEST) for place in places))
    return (
        f"May Osiris connect to {connection.reference} to read the names and types of its tables and columns? "
        f"({connection.family}{'; ' if where else ''}{where}) "
        "It then completes and checks them in pipelines, and asks no more for this connection."
    )


def _title(answer: Any) -> str | None:
    """The button, as a type of lsprotocol or as plain JSON."""
    found = answer.get("title") if isinstance(answer, dict) else getattr(answer, "title", None)
    return found if isinstance(found, str) else None


def fingerprint_of(target: Target) -> str:
    """What a connection is now: the same for equal connections, whatever their secrets.

    Raises ConfigurationError when a variable that it uses is not set.
    """
    from osiris.core.cache_fingerprint import SchemaFingerprint
    from osiris.core.config import ConnectionConfig

    project = target.project
    config = ConnectionConfig.of(target.connection)
    return str(SchemaFingerprint.of(config, root=project.root, env=project.variables()))


def _has_consent(fingerprint: str) -> bool:
    from osiris.core.state_store import StateStore

    with StateStore() as store:
        return store.has_consent(fingerprint)


def _grant_consent(fingerprint: str) -> None:
    from osiris.core.state_store import StateStore

    with StateStore() as store:
        store.grant_consent(fingerprint)
