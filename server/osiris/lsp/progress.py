"""Progress of what takes long, shown where the client can show it, with a button that ends it."""

from __future__ import annotations

import asyncio
import uuid
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris.lsp.errors import log

if TYPE_CHECKING:
    from osiris.lsp.session import Session

Token = str | int

DELAY_SECONDS = 1.0  # what is done sooner needs no progress
INTERVAL_SECONDS = 0.1
PATIENCE_SECONDS = 5.0


class Progress:
    """Around the work of a request: ``async with session.progress("Checking", token) as progress: ...``.

    With the token of the client it begins at once. Without one the client is asked for one when the work takes longer
    than a second. When the user cancels the progress, the task that entered it is cancelled.
    """

    def __init__(self, session: Session, title: str, token: Token | None) -> None:
        self._session = session
        self._title = title
        self._token = token
        self._last: dict[str, Any] = {}
        self._begun = False
        self._over = False
        self._reported = float("-inf")
        self._asking: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> Progress:
        """Begin, now or in a second."""
        if self._token is not None:
            self._begin(self._token)
        elif self._session.client.work_done_progress:
            task = asyncio.current_task()
            self._asking = self._session.start(self._ask(task), f"progress of {self._title}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End, if it had begun."""
        self._over = True
        if self._asking is not None:
            self._asking.cancel()
        if self._begun and self._token is not None:
            self._session.cancellable.pop(self._token, None)
            self._notify({"kind": "end"})

    def report(self, message: str, percentage: int | None = None) -> None:
        """Show how far it is, as often as one can read it."""
        self._last = {"message": message} if percentage is None else {"message": message, "percentage": percentage}
        now = asyncio.get_running_loop().time()
        if self._begun and now - self._reported >= INTERVAL_SECONDS:
            self._reported = now
            self._notify({"kind": "report", **self._last})

    def _begin(self, token: Token, task: asyncio.Task[Any] | None = None) -> None:
        self._token, self._begun = token, True
        task = task or asyncio.current_task()
        if task is not None:
            self._session.cancellable[token] = task
        self._notify({"kind": "begin", "title": self._title, "cancellable": True, **self._last})

    async def _ask(self, task: asyncio.Task[Any] | None) -> None:
        await asyncio.sleep(DELAY_SECONDS)
        token = str(uuid.uuid4())
        try:
            create = self._session.protocol.ask(types.WINDOW_WORK_DONE_PROGRESS_CREATE, {"token": token})
            await asyncio.wait_for(create, PATIENCE_SECONDS)
        except (JsonRpcException, TimeoutError):
            log.info("the client gives no progress for %s", self._title)
        else:
            if not self._over:  # the work may end in the moment in which the answer comes, too late to cancel this
                self._begin(token, task)

    def _notify(self, value: dict[str, Any]) -> None:
        self._session.protocol.notify(types.PROGRESS, {"token": self._token, "value": value})
