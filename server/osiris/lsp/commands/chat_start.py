"""``osiris.chat.start``: ``{"uri"?, "message"?, "task"?, "start"?, "end"?, "conversation"?, "provider"?, "model"?}`` ->
``{"conversation", "path", "state", "provider", "model", "host", "messages", "proposal", "message", "answering"}``.

A new conversation about the pipeline ``uri``, or the one called ``conversation``, also of another window. With a
``message``, or a ``task`` (``fix``, ``explain``, ``writeStep``, ``generate``) between two positions of the document, it
is answered at once; the answer's ``message`` has its words. ``proposal`` is what was proposed last. What happens then
comes as ``osiris/chatEvent``, or as progress, log lines and an edit.
"""

from __future__ import annotations

import asyncio
from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.conversation import Conversation
from osiris.lsp.errors import INVALID_PARAMS, RequestError
from osiris.lsp.session import Session
from osiris.syntax.text import Span


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Open the conversation and begin to answer, if there is something to answer."""
    require_trust(session, "Talking to an AI model")
    uri, known = arguments.text("uri", first=True), arguments.text("conversation")
    message = arguments.text("message") or _asked(session, arguments)
    if known:
        conversation = await session.chats.get(known, uri)
    else:
        conversation = await session.chats.start(uri, arguments.text("provider"), arguments.text("model"))
    found = {**_shown(conversation), "proposal": await asyncio.to_thread(_proposed, conversation), "message": message}
    if message:
        session.chats.send(conversation, message, arguments.token)
    return {**found, "answering": conversation.busy}


def _asked(session: Session, arguments: Arguments) -> str | None:
    """The words of the task, as the document is now."""
    from osiris.ide.chat_tasks import chat_tasks

    task = arguments.text("task")
    if task is None:
        return None
    snapshot = session.snapshot(arguments.uri())
    if snapshot is None:
        raise RequestError("Open the pipeline first that this is for.")
    start, end = arguments.position("start"), arguments.position("end")
    if start is None or end is None:
        raise RequestError('A task needs its place: "start" and "end".', INVALID_PARAMS)
    span = Span(snapshot.offset(start), snapshot.offset(end))
    found = next((one for one in chat_tasks(snapshot.analysis, span) if one.task == task), None)
    if found is None:
        raise RequestError("There is nothing of that kind to be done here any more.")
    return found.message


def _proposed(conversation: Conversation) -> dict[str, Any] | None:
    """What was proposed last, judged as things are now; None when there is nothing, or it cannot be had back."""
    from osiris.core.error_taxonomy import OsirisError

    try:
        found = conversation.proposal or conversation.chat.draft()
    except OsirisError:
        return None
    return None if found is None else found.data()


def _shown(conversation: Conversation) -> dict[str, Any]:
    context, model = conversation.chat.context, conversation.chat.agent.model.models[0]
    said = [{"role": m.role, "text": m.text} for m in context.messages if m.role in ("user", "assistant") and m.text]
    return {
        "conversation": context.id,
        "path": context.path,
        "state": context.state.value,
        "provider": model.provider,
        "model": model.model,
        "host": model.host,
        "messages": said,
    }
