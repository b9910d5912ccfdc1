"""What the handlers of one client share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Literal

from lsprotocol import types

from osiris.lsp import errors
from osiris.lsp.capabilities import Client
from osiris.lsp.documents import Documents, Kind, Snapshot
from osiris.lsp.projects import Projects
from osiris.lsp.settings import Settings

if TYPE_CHECKING:
    from osiris.lsp.analyses import Analyses
    from osiris.lsp.diagnostics import Diagnostics
    from osiris.lsp.protocol import Protocol
    from osiris.lsp.runs import Runs

_LEVELS = {"error": 1, "warning": 2, "info": 3, "log": 4}


class Session:
    """One client, its abilities and settings, its open documents, and what is known of them."""

    def __init__(self, protocol: Protocol) -> None:
        from osiris.lsp.analyses import Analyses
        from osiris.lsp.diagnostics import Diagnostics
        from osiris.lsp.runs import Runs

        self.protocol = protocol
        self.client = Client()
        self.settings = Settings()
        self.documents = Documents()
        self.projects = Projects()
        self.analyses: Analyses = Analyses(self.projects)
        self.diagnostics: Diagnostics = Diagnostics(self)
        self.runs: Runs = Runs(self)
        self._tasks: set[asyncio.Task[Any]] = set()

    def snapshot(self, uri: str) -> Snapshot | None:
        """The present version of an open pipeline; None for documents that are closed or no pipeline."""
        document = self.documents.get(uri)
        if document is None or document.kind is not Kind.PIPELINE:
            return None
        analysis = self.analyses.of(document)
        return Snapshot(document.uri, document.version, document.path, analysis, self.documents.codec)

    def log(self, message: str, level: Literal["error", "warning", "info", "log"] = "info") -> None:
        """Show a line in the client's log of this server, masked."""
        from osiris.core.secrets_masking import mask_secrets

        params = {"type": _LEVELS[level], "message": mask_secrets(message)}
        self.protocol.notify(types.WINDOW_LOG_MESSAGE, params)

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run something that no request waits for. A fault in it is logged, and ends nothing else."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            errors.report(task.get_name(), error)
