"""What the handlers of one client share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Literal

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris.lsp import errors
from osiris.lsp.capabilities import Client
from osiris.lsp.collector import Collector
from osiris.lsp.documents import Documents, Kind, OpenDocument, Snapshot
from osiris.lsp.projects import Projects
from osiris.lsp.settings import Settings
from osiris.lsp.watchdog import watch_process

if TYPE_CHECKING:
    from pathlib import Path

    from osiris.lsp.analyses import Analyses
    from osiris.lsp.chats import Chats
    from osiris.lsp.compiling import Compiler
    from osiris.lsp.diagnostics import Diagnostics
    from osiris.lsp.discovery import Discovery
    from osiris.lsp.last_runs import LastRuns
    from osiris.lsp.progress import Progress
    from osiris.lsp.protocol import Protocol
    from osiris.lsp.refresh import Refresh
    from osiris.lsp.reports import Reports
    from osiris.lsp.runs import Runs
    from osiris.lsp.token_data import DocumentTokens
    from osiris.lsp.watched_files import WatchedFiles
    from osiris.lsp.workspace import Workspace

TYPING_SECONDS = 0.3  # a key that comes sooner after the last one belongs to the same typing
PATIENCE_SECONDS = 1.0
STEP_SECONDS = 0.05

_LEVELS = {"error": 1, "warning": 2, "info": 3, "log": 4}


class Session:
    """One client, its abilities and settings, its open documents, and what is known of them."""

    def __init__(self, protocol: Protocol) -> None:
        from osiris.lsp.analyses import Analyses
        from osiris.lsp.chats import Chats
        from osiris.lsp.compiling import Compiler
        from osiris.lsp.diagnostics import Diagnostics
        from osiris.lsp.discovery import Discovery
        from osiris.lsp.last_runs import LastRuns
        from osiris.lsp.refresh import Refresh
        from osiris.lsp.reports import Reports
        from osiris.lsp.runs import Runs
        from osiris.lsp.watched_files import WatchedFiles
        from osiris.lsp.workspace import Workspace

        self.protocol = protocol
        self.collector = Collector()
        self.client = Client()
        self.settings = self.initial_settings = Settings()
        self.folder_settings: dict[Path, Settings] = {}
        self.documents = Documents()
        self.projects = Projects()
        self.analyses: Analyses = Analyses(self.projects)
        self.workspace: Workspace = Workspace(self)
        self.reports: Reports = Reports(self)
        self.refresh: Refresh = Refresh(self)
        self.watched_files: WatchedFiles = WatchedFiles(self)
        self.diagnostics: Diagnostics = Diagnostics(self)
        self.compiler: Compiler = Compiler(self)
        self.tokens: dict[str, DocumentTokens] = {}
        self.discovery: Discovery = Discovery(self)
        self.runs: Runs = Runs(self)
        self.last_runs: LastRuns = LastRuns(self)
        self.chats: Chats = Chats(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.cancellable: dict[str | int, asyncio.Task[Any]] = {}
        self.partial_results: dict[str, Callable[[Any], None]] = {}  # who hears them, by token
        self.backlog: Callable[[], int] = int  # how many messages have arrived that are not handled yet
        self._typed = float("-inf")

    def snapshot(self, uri: str) -> Snapshot | None:
        """The present version of an open pipeline; None for documents that are closed or no pipeline."""
        document = self.documents.get(uri)
        if document is None or document.kind is not Kind.PIPELINE:
            return None
        analysis = self.analyses.of(document)
        environment = self.projects.environment_of(document.path)
        return Snapshot(document.uri, document.version, document.path, analysis, environment, self.documents.codec)

    def settings_of(self, path: Path | None) -> Settings:
        """The settings that count for a file: those of its folder, or of the window for any other document."""
        folder = self.projects.folder_of(path) if path is not None else None
        return self.settings if folder is None else self.folder_settings.get(folder, self.settings)

    def log(self, message: str, level: Literal["error", "warning", "info", "log"] = "info") -> None:
        """Show a line in the client's log of this server, masked."""
        from osiris.core.secrets_masking import mask_secrets

        params = {"type": _LEVELS[level], "message": mask_secrets(message)}
        self.protocol.notify(types.WINDOW_LOG_MESSAGE, params)

    def show(self, message: str, kind: types.MessageType) -> None:
        """Show a message to the user, masked; it is for what they wait to hear of."""
        from osiris.core.secrets_masking import mask_secrets

        params = {"type": kind.value, "message": mask_secrets(message)}
        self.protocol.notify(types.WINDOW_SHOW_MESSAGE, params)

    def text_changed(self, document: OpenDocument) -> None:
        """Check a document that was opened or changed, and all pipelines when it is a file of their project."""
        self._typed = asyncio.get_running_loop().time()
        if document.kind in (Kind.CONNECTIONS, Kind.SETTINGS, Kind.LOCK) and document.path is not None:
            self.projects.overlay(document.path, document.text)
            self.diagnostics.request_all()
        else:
            self.diagnostics.request(document.uri)

    def progress(self, title: str, token: str | int | None = None) -> Progress:
        """Progress around something that may take long; ``token`` is the one that the client gave, if it did."""
        from osiris.lsp.progress import Progress

        return Progress(self, title, token)

    async def pause_while_typing(self) -> None:
        """Let whatever waits go first; while the user types, wait until they pause, but not for ever."""
        await asyncio.sleep(0)
        loop, waited = asyncio.get_running_loop(), 0.0
        while loop.time() - self._typed < TYPING_SECONDS and waited < PATIENCE_SECONDS:
            await asyncio.sleep(STEP_SECONDS)
            waited += STEP_SECONDS

    def watch_parent(self, process_id: int) -> None:
        """End when the process that started the client's side is gone, even if the wire stays open."""
        self.start(watch_process(process_id, self.protocol.stop), "watching the parent process")

    def close(self) -> None:
        """Let go of what runs in the background. Runs of pipelines go on."""
        self.discovery.close()
        self.chats.close()
        for task in list(self._tasks):
            task.cancel()
        self.compiler.close()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run something that no request waits for. A fault in it is logged, and ends nothing else."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, JsonRpcException):
            errors.log.info("%s: the client answered with an error", task.get_name())
        elif isinstance(error, errors.RequestError):
            errors.log.info("%s: %s", task.get_name(), error)  # whoever asked for it is told
        elif error is not None:
            errors.report(task.get_name(), error)
