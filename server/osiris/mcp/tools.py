"""The tools at work for one call. Everything here may be called from any thread and blocks until it is done."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from osiris.core.agent.looking import Looking, Told
from osiris.core.agent.proposals import checked_path, propose, with_plain_ends
from osiris.core.agent.reaching import reached
from osiris.core.agent.saving import save
from osiris.core.checked_files import CheckedFile, checked_settings
from osiris.core.error_taxonomy import CompilationError, ConfigurationError, ValidationError
from osiris.core.project import Project
from osiris.core.source import read_source, unreadable
from osiris.language.connections import Connection
from osiris.mcp import run_tools
from osiris.mcp.answers import Answer, report, rows_as_data, told
from osiris.mcp.consent import Agreed
from osiris.syntax.text import LineIndex

if TYPE_CHECKING:
    from osiris.core.discovery import DiscoveryAgent
    from osiris.core.manifest import Manifest


class Tools:
    """The tools by their names. ``seen``: the text of each pipeline as the agent has read it. ``values``: messages may
    hold what they quote, which are values of rows. ``cancel``: set, what is being read or waited for ends at once."""

    def __init__(
        self, project: Project, reach: Agreed, seen: dict[str, str], values: bool, cancel: threading.Event
    ) -> None:
        project.invalidate()
        self._project = project
        self._reach = reach
        self._seen = seen
        self._values = values
        self._cancel = cancel
        self._looking = Looking(project, reach, cancel)

    # ---- What is there ---------------------------------------------------------------------------------------------

    def list_connections(self) -> Answer:
        """See ``Looking``."""
        return _said(self._looking.list_connections())

    def list_components(self) -> Answer:
        """See ``Looking``."""
        return _said(self._looking.list_components())

    def describe_component(self, component: str) -> Answer:
        """See ``Looking``."""
        return _said(self._looking.describe_component(component))

    def list_tables(self, connection: str, contains: str = "") -> Answer:
        """See ``Looking``."""
        return _said(self._looking.list_tables(connection, contains))

    def describe_table(self, connection: str, table: str) -> Answer:
        """See ``Looking``."""
        return _said(self._looking.describe_table(connection, table))

    def list_pipelines(self) -> Answer:
        """See ``Looking``."""
        return _said(self._looking.list_pipelines())

    def sample_rows(self, connection: str, table: str, limit: int = 5) -> Answer:
        """The first rows of a table."""
        sample = self._explorer(self._looking.connection(connection)).get_samples(table, limit)
        return told(rows_as_data(sample.columns, sample.rows))

    # ---- Pipelines -------------------------------------------------------------------------------------------------

    def read_pipeline(self, path: str) -> Answer:
        """The text of a pipeline, which can be written from then on, with what is wrong in it."""
        target = checked_path(self._project, path)
        text = read_source(self._project.root / target, shown=target)
        self._seen[target] = with_plain_ends(text)
        return _said(self._looking.read_pipeline(target, text))

    def validate(
        self,
        oml: str | None = None,
        path: str | None = None,
        profile: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        """What is wrong in a text, a file, or all of the project."""
        if oml is None and path is None:
            named = map(self._project.relative, self._project.pipelines())
            files = [self._checked(None, name, profile, params) for name in named]
        else:
            files = [self._checked(oml, self._path(path), profile, params)]
        files += checked_settings(self._project, self._project.relative)
        return told(report(files))

    def compile(
        self,
        oml: str | None = None,
        path: str | None = None,
        profile: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Whether a pipeline compiles, and to what."""
        manifest, failed = self._compiled(oml, path, profile, params)
        if manifest is None:
            return failed
        steps = [
            {key: step.get(key) for key in ("id", "component", "mode", "needs", "connection") if step.get(key)}
            for step in manifest["steps"]
        ]
        return told({"ok": True, "fingerprint": manifest["fingerprint"], "steps": steps})

    def write_pipeline(self, oml: str, path: str | None = None) -> Answer:
        """Write the text of a pipeline that has no error."""
        proposal = propose(self._project, oml, path)
        if proposal.before is not None and self._seen.get(proposal.path) != proposal.before:
            raise ValidationError(
                f"{proposal.path} is not written: you have not read it as it is now.",
                hint="Read it with read_pipeline first, so that nothing of it is lost.",
            )
        lines = LineIndex(proposal.text)
        checked = CheckedFile(proposal.path, proposal.text, lines, proposal.diagnostics, self._project.root)
        about = {**report([checked]), "ok": proposal.ok, "path": proposal.path}
        if not proposal.ok:
            return told({**about, "written": False}, ok=False)
        diff = proposal.diff()
        save(self._project, proposal)
        self._seen[proposal.path] = proposal.text
        return told({**about, "written": True, "diff": diff})

    def preview_step(self, step: str, oml: str | None = None, path: str | None = None, limit: int = 20) -> Answer:
        """The first rows of a step."""
        from osiris.execution.preview_in_time import preview_in_time

        manifest, failed = self._compiled(oml, path, None, None, step=step)
        if manifest is None:
            return failed
        for connection in reached(self._project, manifest):
            self._explorer(connection)
        found = preview_in_time(manifest, step, root=self._project.root, limit=limit, cancel=self._cancel)
        names = (name for name, _ in found.columns)
        return told({"step": found.step, "more": found.more, **rows_as_data(names, found.rows)})

    def _checked(
        self, oml: str | None, name: str | None, profile: str | None, params: Mapping[str, Any] | None
    ) -> CheckedFile:
        """The findings of a text as the file ``name`` of the project, or of the file itself."""
        from osiris.core.check import check_text

        file = self._project.root / name if name is not None else None
        if oml is None and file is not None:
            try:
                oml = read_source(file, shown=name)
            except ConfigurationError as problem:
                finding = unreadable(file, f"{problem} {problem.hint or ''}".strip())
                return CheckedFile(str(name), "", LineIndex(""), (finding,), self._project.root)
        analysis = check_text(oml or "", self._project, file, profile=profile, params=params)
        found, document = tuple(analysis.diagnostics), analysis.document
        return CheckedFile(name or "(text)", document.text, document.lines, found, self._project.root)

    def _compiled(
        self,
        oml: str | None,
        path: str | None,
        profile: str | None,
        params: Mapping[str, Any] | None,
        step: str | None = None,
    ) -> tuple[Manifest, Answer] | tuple[None, Answer]:
        """The manifest, or what keeps the pipeline from compiling."""
        from osiris.core.compiler_v0 import compile_text

        if oml is None and path is None:
            raise ValidationError("Say which pipeline: a file by `path`, or a text by `oml`.")
        target = self._path(path)
        file = self._project.root / target if target is not None else None
        text = oml if oml is not None else read_source(file or self._project.root, shown=target)
        try:
            manifest, _ = compile_text(text, file, project=self._project, profile=profile, params=params, step=step)
        except CompilationError as problem:
            if not problem.diagnostics:
                raise
            found = report([self._checked(text, target, profile, params)])
            return None, told({**found, "ok": False}, ok=False)
        return manifest, Answer("")

    # ---- Runs ------------------------------------------------------------------------------------------------------

    def list_runs(self, limit: int = 20) -> Answer:
        """The newest runs."""
        return told(run_tools.listed(self._project, limit, self._values))

    def show_run(self, run: str) -> Answer:
        """One run."""
        return told(run_tools.shown(self._project, run, self._values))

    def follow_run(self, run: str, after: int = 0, seconds: int = 20) -> Answer:
        """What happens in a run."""
        return told(run_tools.followed(self._project, run, after, seconds, self._values, self._cancel))

    def run_pipeline(
        self,
        path: str,
        profile: str | None = None,
        params: Mapping[str, Any] | None = None,
        to: str | None = None,
    ) -> Answer:
        """Start a pipeline in the background."""
        manifest, failed = self._compiled(None, path, profile, params, step=to)
        if manifest is None:
            return failed
        return told(run_tools.started(self._project, manifest, params or {}, to))

    def cancel_run(self, run: str) -> Answer:
        """Stop a run."""
        asked = run_tools.cancelled(self._project, run)
        return told(asked, ok=bool(asked["ok"]))

    # ---- Help ------------------------------------------------------------------------------------------------------

    def _path(self, path: str | None) -> str | None:
        """The path of a pipeline. Raises ValidationError for one out of the project, and for any other file."""
        return None if path is None else checked_path(self._project, path)

    def _explorer(self, connection: Connection) -> DiscoveryAgent:
        """What reads rows of a database. Raises ValidationError where the user has not agreed to connect."""
        found = self._looking.explorer(connection, "its rows")
        if found is None:
            raise self._reach.refusal(connection)
        return found


def _said(told: Told) -> Answer:
    return Answer(told.text, told.ok)
