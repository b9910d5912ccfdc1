"""The agent's questions for consent, which come from its thread, put to the user."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris.lsp.consent import question_for
from osiris.lsp.errors import log

if TYPE_CHECKING:
    from osiris.core.agent.host import Consent
    from osiris.core.project import Project
    from osiris.lsp.session import Session

LOOK_SECONDS = 0.1
_BUTTONS = {"connect": ("Connect", "Not now"), "rows": ("Send rows", "Send none")}


async def ask_user(session: Session, question: str, options: tuple[str, ...]) -> str | None:
    """What the user picks of ``options``; None when they pick nothing, or the client cannot ask them."""
    from osiris.core.secrets_masking import mask_secrets

    actions = [{"title": option} for option in options]
    params = {"type": types.MessageType.Info.value, "message": mask_secrets(question), "actions": actions}
    try:
        answer = await session.protocol.ask(types.WINDOW_SHOW_MESSAGE_REQUEST, params)
    except JsonRpcException:
        log.info("the client cannot ask its user")
        return None
    title = answer.get("title") if isinstance(answer, dict) else getattr(answer, "title", None)
    return title if title in options else None


class AgentQuestions:
    """Answers the questions of one conversation. ``cancel`` ends a question that is open with no; ``tell`` hears what
    the adapter of the model does."""

    def __init__(self, session: Session, project: Project) -> None:
        self._session = session
        self._project = project
        self.loop = asyncio.get_running_loop()
        self.cancel = threading.Event()
        self.tell: Callable[[dict[str, Any]], None] = lambda event: None

    def heard(self, event: Any) -> None:
        """Pass on what the adapter says: a request and its size, another try, another model."""
        self.tell(dict(event))

    def ask(self, what: Consent, question: str) -> bool:
        """Whether the user says yes. Call from a thread that is not the loop's."""
        yes, no = _BUTTONS[what.value]
        asking = ask_user(self._session, self._worded(question), (yes, no))
        try:
            asked = asyncio.run_coroutine_threadsafe(asking, self.loop)
        except RuntimeError:  # The loop has been closed.
            asking.close()
            return False
        while not self.cancel.is_set():
            done, _ = concurrent.futures.wait([asked], LOOK_SECONDS)
            if done:
                chosen = None if asked.cancelled() or asked.exception() is not None else asked.result()
                return chosen == yes and self._session.settings.trusted
        asked.cancel()
        return False

    def _worded(self, question: str) -> str:
        """The question; one about a connection says where that leads, as the editor's own does: it is the same consent,
        and is kept."""
        connections = self._project.environment().connections
        for reference in connections.references() if connections is not None else ():
            if question.startswith(f"Connect to {reference} "):
                family, _, alias = reference.removeprefix("@").partition(".")
                found = connections.get(family, alias) if connections is not None else None
                return question if found is None else question_for(found)
        return question
