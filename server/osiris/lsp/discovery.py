"""Discovers databases for the editor: in processes of their own, with the user's consent, never in the way of typing.

What is found lands in the state store, where every check and every suggestion finds it. Nothing here reads a database:
``osiris discover`` does, in a child that is ended with this server, after its time, or when nobody waits for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from osiris.lsp.cli import Answer, run_osiris
from osiris.lsp.connection_use import Target, open_targets
from osiris.lsp.consent import Consent
from osiris.lsp.errors import RequestError, log

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.language.catalog import SchemaKnowledge
    from osiris.lsp.session import Session

CATALOG_CHANGED = "osiris/catalogChanged"
GRACE_SECONDS = 10.0  # how much longer the child may take to say that its time is over
MOST_AT_ONCE = 2
DELAY_SECONDS = 1.0  # after a document was opened: first of all it is shown and checked
LOOK_AGAIN_SECONDS = 900.0
BACK_OFF_SECONDS = 60.0
LONGEST_BACK_OFF_SECONDS = 3600.0

Result = dict[str, Any]
"""One item of what ``osiris discover --format json`` prints."""


@dataclass(slots=True)
class _Running:
    """A child at work. ``shown``: somebody has asked for it, and is to be told when it fails."""

    task: asyncio.Task[Result]
    waiting: int = 0
    shown: bool = False


@dataclass(slots=True)
class _Failed:
    """The last failure of a connection with these ``fields``; in the background it is not tried before ``until``."""

    message: str
    fields: Mapping[str, Any]
    times: int
    until: float


class Discovery:
    """The discoveries of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.consent = Consent(session)
        self._running: dict[tuple[str, str], _Running] = {}
        self._failed: dict[tuple[str, str], _Failed] = {}
        self._offered: set[tuple[str, str]] = set()
        self._closed = False
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._looking: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None

    # -- what is asked for

    async def discover(self, targets: list[Target]) -> list[Result]:
        """Discover these now, each after consent; one result for each, in order. Failures are shown to the user."""
        self._require_saved({target.project.root: target.project for target in targets}.values())
        refused = {target.key: await self._refusal(target) for target in targets}
        agreed = [target for target in targets if refused[target.key] is None]
        done = await asyncio.gather(*(self._run(target, shown=True) for target in agreed))
        results = {target.key: result for target, result in zip(agreed, done, strict=True)}
        return [refused[target.key] or results[target.key] for target in targets]

    async def _refusal(self, target: Target) -> Result | None:
        """Why the editor may not connect, or cannot know whether it may; None when it may."""
        from osiris.core.error_taxonomy import OsirisError, describe

        try:
            agreed = await self.consent.ask(target)
        except OsirisError as problem:
            result = _failure(target, describe(problem), problem.hint)
            self._tell(target, result, shown=True)
            return result
        hint = "Run the command again and choose Connect."
        return None if agreed else _failure(target, "Nobody has agreed to connect.", hint)

    async def _run(self, target: Target, *, shown: bool) -> Result:
        """Discover a connection that the user has agreed to. One that is being discovered is not begun again."""
        if not self._session.settings.trusted:  # trust may be taken away while the user is asked
            return _failure(target, "The workspace is not trusted any more.")
        running = self._running.get(target.key)
        if running is None:
            task = self._session.start(self._discover(target), f"discovering {target.name}")
            running = self._running[target.key] = _Running(task)
            task.add_done_callback(partial(self._over, target))
            self._changed(target)
        running.waiting += 1
        running.shown |= shown
        try:
            return await asyncio.shield(running.task)
        except asyncio.CancelledError:
            if running.waiting == 1:
                running.task.cancel()
            raise
        finally:
            running.waiting -= 1

    async def _discover(self, target: Target) -> Result:
        async with self._slots:
            result = await self._run_child(target)
            await asyncio.to_thread(_renew_view, target)
            return result

    def _over(self, target: Target, task: asyncio.Task[Result]) -> None:
        """Keep what came of it, and let everybody see what is known now."""
        running = self._running.pop(target.key)
        if self._closed:
            return
        if not task.cancelled() and task.exception() is None:
            self._remember(target, task.result())
            self._tell(target, task.result(), shown=running.shown)
            target.project.invalidate()
            self._session.diagnostics.request_all()
        self._changed(target)

    async def _run_child(self, target: Target) -> Result:
        limit = self._session.settings_of(target.project.root).discovery_seconds
        arguments = ["discover", target.name, "--only-agreed", "--while-asked", "--format", "json"]
        arguments += ["--timeout", f"{limit:g}"]
        try:
            async with asyncio.timeout(limit + GRACE_SECONDS):
                answer = await run_osiris(arguments, cwd=target.project.root, held=True)
        except TimeoutError:
            return _failure(target, f"It took longer than {limit:g} seconds, and was ended.")
        return _read(target, answer)

    # -- in the background

    def look(self) -> None:
        """See in a moment whether something is to be discovered, or offered, for the open pipelines."""
        if self._session.settings.trusted and self._looking is None:
            self._looking = self._session.start(self._look(), "looking for old schemas")

    async def _look(self) -> None:
        try:
            await asyncio.sleep(DELAY_SECONDS)
            await self._session.pause_while_typing()
            for target in await open_targets(self._session):
                await self._consider(target)
        finally:
            self._looking = None
        if self._again is not None:
            self._again.cancel()
        self._again = asyncio.get_running_loop().call_later(LOOK_AGAIN_SECONDS, self.look)

    async def _consider(self, target: Target) -> None:
        from osiris.core.error_taxonomy import OsirisError

        if not self._session.settings_of(target.project.root).discovery_automatic or self._backs_off(target):
            return
        if not self._session.settings.trusted or target.key in self._running or self._unsaved(target.project):
            return
        knowledge = target.project.environment().schema_of(target.connection)
        try:
            agreed = await self.consent.given(target)
        except OsirisError as problem:
            log.info("%s: %s", target.name, problem)  # it is told when somebody wants to connect
            return
        if agreed:
            if is_old(knowledge):
                self._session.start(self._refresh(target, shown=False), f"refreshing {target.name}")
        elif knowledge is None and self._session.client.discovery_offers and target.key not in self._offered:
            self._offered.add(target.key)
            self._session.start(self._offer(target), f"offering to discover {target.name}")

    async def _offer(self, target: Target) -> None:
        if await self.consent.ask(target):
            await self._refresh(target, shown=True)

    async def _refresh(self, target: Target, *, shown: bool) -> None:
        async with self._session.progress(f"Reading the tables of {target.name}"):
            await self._run(target, shown=shown)

    def _backs_off(self, target: Target) -> bool:
        failed = self._last_failure(target)
        return failed is not None and asyncio.get_running_loop().time() < failed.until

    # -- what became of it

    def state_of(self, target: Target) -> str:
        """``discovering``, ``failed``, ``fresh``, ``old``, ``unknown``; ``locked``: the committed file knows."""
        if target.key in self._running:
            return "discovering"
        if self._last_failure(target) is not None:
            return "failed"
        knowledge = target.project.environment().schema_of(target.connection)
        if knowledge is None:
            return "unknown"
        if knowledge.discovered is None:
            return "locked"
        return "old" if is_old(knowledge) else "fresh"

    def failure_of(self, target: Target) -> str | None:
        """Why the last discovery of this session failed; None when it did not."""
        failed = self._last_failure(target)
        return failed.message if failed is not None else None

    def _last_failure(self, target: Target) -> _Failed | None:
        """What is remembered, unless the connection was mended since."""
        failed = self._failed.get(target.key)
        return failed if failed is not None and failed.fields == target.connection.fields else None

    def _remember(self, target: Target, result: Result) -> None:
        error = result.get("error")
        if not isinstance(error, dict):
            self._failed.pop(target.key, None)
            return
        before = self._last_failure(target)
        times = before.times + 1 if before is not None else 1
        wait = min(BACK_OFF_SECONDS * 2 ** (times - 1), LONGEST_BACK_OFF_SECONDS)
        until = asyncio.get_running_loop().time() + wait
        self._failed[target.key] = _Failed(_sentence(error), target.connection.fields, times, until)

    def _tell(self, target: Target, result: Result, *, shown: bool) -> None:
        """One line for the log, and for a failure that somebody waits to hear of a message, too."""
        error = result.get("error")
        if isinstance(error, dict):
            message = f"{target.name} could not be read: {_sentence(error)}"
            self._session.log(message, "warning")
            if shown:
                self._session.show(message, types.MessageType.Error)
            return
        tables, columns, seconds = (result.get(key) or 0 for key in ("tables", "columns", "seconds"))
        line = f"{target.name}: {count(tables, 'table')} with {count(columns, 'column')} read in {seconds:.1f} s"
        self._session.log(line if result.get("complete") is not False else f"{line}, not all of them")

    def _changed(self, target: Target) -> None:
        if self._session.client.run_events or self._session.client.schema_view:
            self._session.protocol.notify(CATALOG_CHANGED, {"connection": target.name})

    def close(self) -> None:
        """End the discoveries that run: the session ends."""
        self._closed = True
        self.stop()

    def stop(self) -> None:
        """End the discoveries that run, as when trust is taken back."""
        for running in list(self._running.values()):
            running.task.cancel()

    # -- the connections file

    def _require_saved(self, projects: Any) -> None:
        if any(self._unsaved(project) for project in projects):
            raise RequestError("osiris_connections.yaml has changes that are not saved. Save it first.")

    def _unsaved(self, project: Project) -> bool:
        """Whether the child would connect to something else than what the user sees and is asked about."""
        from osiris.core.error_taxonomy import ConfigurationError
        from osiris.core.source import read_source
        from osiris.language.project_file_names import CONNECTIONS_FILE

        document = self._session.documents.of_file(project.root / CONNECTIONS_FILE)
        if document is None or document.path is None:
            return False
        try:
            return read_source(document.path) != document.text
        except ConfigurationError:
            return True


def is_old(knowledge: SchemaKnowledge | None) -> bool:
    """Whether a new reading would tell more: there is none, it is too old, or the database has changed since."""
    if knowledge is None or knowledge.discovered is None or knowledge.has_changed:
        return True
    age = knowledge.age()
    return age is None or age > knowledge.max_age or any(info.written for info in knowledge.discovered.tables)


def _failure(target: Target, message: str, hint: str | None = None) -> Result:
    return {"connection": target.name, "ok": False, "error": {"message": message, "hint": hint}}


def _read(target: Target, answer: Answer) -> Result:
    """What the child said of the connection; a failure in its words when it said nothing of the kind."""
    try:
        said = json.loads(answer.output)
    except ValueError:
        said = None
    for item in said if isinstance(said, list) else ():
        if isinstance(item, dict) and item.get("connection") == target.name:
            return item
    if answer.code < 0:
        return _failure(target, f"The process that read it was ended by signal {-answer.code}.")
    return _failure(target, said_in(answer) or f"The command ended with code {answer.code} and said nothing.")


def _renew_view(target: Target) -> None:
    from osiris.core.error_taxonomy import OsirisError
    from osiris.lsp.schema_documents import renew_file

    try:
        renew_file(target)
    except (OsirisError, OSError) as problem:
        log.info("the schema view of %s stays as it was: %s", target.name, problem)


def said_in(answer: Answer) -> str:
    """What a command wrote for people about its failure, on one line."""
    return " ".join(answer.errors.split()).removeprefix("error: ")


def _sentence(error: dict[str, Any]) -> str:
    return " ".join(str(part) for part in (error.get("message"), error.get("hint")) if part)


def count(number: int, name: str) -> str:
    """``1 table``, ``2 tables``."""
    return f"{number} {name}{'' if number == 1 else 's'}"
