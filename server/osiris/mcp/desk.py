"""The tools at work on one project. Everything here may be called from any thread and blocks until it is done."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.agent.conversation import ConversationContext
from osiris.core.agent.host import NobodyThere
from osiris.core.agent.proposals import checked_path, with_plain_ends
from osiris.core.agent.reaching import reached
from osiris.core.agent.redaction import without_values
from osiris.core.agent.tools import Toolbox, fenced
from osiris.core.checked_files import CheckedFile, checked_settings, findings_as_data
from osiris.core.config import Config
from osiris.core.error_taxonomy import CompilationError, ConfigurationError, OsirisError, ValidationError
from osiris.core.llm.ceiling import AiCeiling
from osiris.core.llm.errors import AiForbiddenError
from osiris.core.project import Project
from osiris.core.secrets_masking import MASK
from osiris.core.source import read_source, unreadable
from osiris.core.state_store import StateStore
from osiris.execution.agent_host import project_masker
from osiris.mcp import known_tables, run_tools
from osiris.mcp.allowed import Allowed
from osiris.mcp.tool_table import BY_TOOL_NAME, TOOLS, McpTool
from osiris.syntax.text import LineIndex

if TYPE_CHECKING:
    from osiris.core.manifest import Manifest

PROVIDER = "mcp"  # what agents behind MCP are called in ``ai.providers`` of osiris.yaml
_MOST_FINDINGS = 100
_MOST_CHARACTERS = 25_000  # of findings, so that they stay whole
_LONGEST_CELL = 500
_WITHOUT_PROJECT = frozenset({"list_components", "describe_component"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent is told. ``ok``: what it asked for was done."""

    text: str
    ok: bool = True


class Desk:
    """The tools for the project around ``folder``, as far as they are allowed."""

    def __init__(self, folder: Path, allowed: Allowed) -> None:
        self.project = Project.find(folder)
        self.allowed = allowed
        self._seen: dict[str, str] = {}  # the text of each pipeline as the agent has read it

    def tools(self) -> list[McpTool]:
        """Those that the user and the project's osiris.yaml allow; none where that forbids AI."""
        try:
            ceiling = self._ceiling()
        except ConfigurationError:  # each tool says so
            ceiling = AiCeiling()
        try:
            ceiling.require(PROVIDER)
        except AiForbiddenError:
            return []
        return [tool for tool in TOOLS if tool.needs is None or self._is_allowed(tool.needs, ceiling)]

    def call(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """What comes of calling a tool. Never raises; what goes out is masked."""
        masker = project_masker(self.project)
        try:
            tool = self._tool(name)
            _must_fit(arguments, tool)
            method: Callable[..., Answer] | None = getattr(self, f"_{name}", None)
            if method is None:
                answer = self._ask_toolbox(name, arguments)
            else:
                answer = method(**arguments)
        except OsirisError as error:
            answer = self._refusal(error)
        except Exception as error:  # noqa: BLE001 - the one place that turns every cause into an answer
            _log.error("%s: a defect of Osiris", name, exc_info=error)
            answer = Answer(f"Osiris met a defect of its own ({type(error).__name__}); its log says more.", ok=False)
        return Answer(masker.text(answer.text), answer.ok)

    def _refusal(self, error: OsirisError) -> Answer:
        """Why something was not done. What a database or an engine says is material, and may quote rows."""
        hint = f" {error.hint}" if error.hint else ""
        if isinstance(error, ConfigurationError | ValidationError):
            return Answer(f"{error.message}{hint}", ok=False)
        said = error.message if self._shows_values() else without_values(error.message)
        return Answer(f"That did not work:\n{fenced(f'{said}{hint}')}", ok=False)

    # ---- What may be done ------------------------------------------------------------------------------------------

    def _ceiling(self) -> AiCeiling:
        return Config.load(self.project.root).ai

    def _is_allowed(self, need: str, ceiling: AiCeiling) -> bool:
        return bool(getattr(self.allowed, need)) and (need != "data" or ceiling.allow_rows)

    def _tool(self, name: str) -> McpTool:
        """The tool, when it may be used. Raises OsirisError."""
        tool = BY_TOOL_NAME.get(name)
        if tool is None:
            there = ", ".join(one.name for one in self.tools())
            raise ValidationError(f"There is no tool {name}.", hint=f"There are: {there or 'none'}.")
        ceiling = self._ceiling()
        if ceiling.enabled and ceiling.providers is not None and PROVIDER not in ceiling.providers:
            raise AiForbiddenError(
                "This project does not allow agents over MCP.",
                hint="ai.providers in its osiris.yaml lists who may be told of it; `mcp` is not among them.",
            )
        ceiling.require(PROVIDER)
        if tool.needs is not None and not getattr(self.allowed, tool.needs):
            raise ValidationError(
                f"The user has not allowed {name}.",
                hint=f"It is there when osiris mcp is started with --allow-{tool.needs}.",
            )
        if tool.needs == "data":
            ceiling.require_rows()
        if name not in _WITHOUT_PROJECT and not self.project.is_marked:
            raise ConfigurationError(
                f"There is no Osiris project in {self.project.root}: no osiris.yaml and no osiris_connections.yaml.",
                hint="Start the server with --project DIR, or make a project: osiris init.",
            )
        return tool

    @cached_property
    def _agreed(self) -> StateStore:
        return _Agreed(self.allowed.connect)

    def _toolbox(self) -> Toolbox:
        return Toolbox(self.project, ConversationContext(""), NobodyThere(), allow_rows=False, store=self._agreed)

    def _ask_toolbox(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        self.project.invalidate()
        result = self._toolbox().call(name, json.dumps(dict(arguments)))
        return Answer(result.text, result.ok)

    # ---- Databases -------------------------------------------------------------------------------------------------

    def _list_tables(self, connection: str, contains: str = "") -> Answer:
        reference = self._reference(connection)
        if self._may_connect(reference):
            return self._ask_toolbox("list_tables", {"connection": reference, "contains": contains})
        return self._as_known(reference, known_tables.tables(self.project, reference, contains))

    def _describe_table(self, connection: str, table: str) -> Answer:
        reference = self._reference(connection)
        if self._may_connect(reference):
            return self._ask_toolbox("describe_table", {"connection": reference, "table": table})
        return self._as_known(reference, known_tables.columns(self.project, reference, table))

    def _sample_rows(self, connection: str, table: str, limit: int = 5) -> Answer:
        reference = self._reference(connection)
        self._require_consent(reference)
        sample = known_tables.explorer(self.project, reference).get_samples(table, limit)
        return _told(_table(sample.columns, sample.rows))

    def _as_known(self, reference: str, found: str | None) -> Answer:
        """What is known without connecting, which the user has not agreed to."""
        if found is None:
            raise _no_consent(reference)
        return Answer(f"As it was read before; {reference} was not connected to.\n{fenced(found)}")

    def _may_connect(self, reference: str) -> bool:
        return self._agreed.has_consent(str(known_tables.explorer(self.project, reference).fingerprint))

    def _require_consent(self, reference: str) -> None:
        if not self._may_connect(reference):
            raise _no_consent(reference)

    def _reference(self, connection: str) -> str:
        """The connection that is meant. Raises ValidationError when there is none."""
        return self._toolbox().connection(connection).reference

    # ---- Pipelines -------------------------------------------------------------------------------------------------

    def _read_pipeline(self, path: str) -> Answer:
        target = checked_path(self.project, path)
        text = read_source(self.project.root / target, shown=target)
        answer = self._ask_toolbox("read_pipeline", {"path": target})
        self._seen[target] = with_plain_ends(text)
        return answer

    def _validate(
        self,
        oml: str | None = None,
        path: str | None = None,
        profile: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        self.project.invalidate()
        if oml is None and path is None:
            named = map(self.project.relative, self.project.pipelines())
            files = [self._checked(None, name, profile, params) for name in named]
        else:
            files = [self._checked(oml, self._named(path), profile, params)]
        files += checked_settings(self.project, self.project.relative)
        return _told(_report(files))

    def _compile(
        self,
        oml: str | None = None,
        path: str | None = None,
        profile: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        manifest, failed = self._compiled(oml, path, profile, params)
        if manifest is None:
            return failed
        steps = [
            {key: step.get(key) for key in ("id", "component", "mode", "needs", "connection") if step.get(key)}
            for step in manifest["steps"]
        ]
        return _told({"ok": True, "fingerprint": manifest["fingerprint"], "steps": steps})

    def _write_pipeline(self, oml: str, path: str | None = None) -> Answer:
        from osiris.core.agent.proposals import propose
        from osiris.core.agent.saving import save

        proposal = propose(self.project, oml, path)
        if proposal.before is not None and self._seen.get(proposal.path) != proposal.before:
            raise ValidationError(
                f"{proposal.path} is not written: you have not read it as it is now.",
                hint="Read it with read_pipeline first, so that nothing of it is lost.",
            )
        if MASK in oml and MASK not in (proposal.before or ""):
            raise ValidationError(f"{MASK} stands for a secret that you were not shown.", hint="Leave it out.")
        told = {"path": proposal.path, "findings": proposal.findings()}
        if not proposal.ok:
            return _told({"ok": False, "written": False, **told}, ok=False)
        diff = proposal.diff()
        save(self.project, proposal)
        self._seen[proposal.path] = proposal.text
        return _told({"ok": True, "written": True, **told, "diff": diff})

    def _preview_step(self, step: str, oml: str | None = None, path: str | None = None, limit: int = 20) -> Answer:
        from osiris.execution.preview_in_time import preview_in_time

        manifest, failed = self._compiled(oml, path, None, None, step=step)
        if manifest is None:
            return failed
        for connection in reached(self.project, manifest):
            self._require_consent(connection.reference)
        found = preview_in_time(manifest, step, root=self.project.root, limit=limit)
        names = (name for name, _ in found.columns)
        return _told({"step": found.step, "more": found.more, **_table(names, found.rows)})

    def _named(self, path: str | None) -> str | None:
        """The path of a pipeline. Raises ValidationError for one out of the project, and for any other file."""
        if path is None or self.project.root / path in self.project.listed():
            return path
        return checked_path(self.project, path)

    def _checked(
        self, oml: str | None, name: str | None, profile: str | None, params: Mapping[str, Any] | None
    ) -> CheckedFile:
        """The findings of a text as the file ``name`` of the project, or of the file itself."""
        from osiris.core.check import check_text

        file = self.project.root / name if name is not None else None
        if oml is None and file is not None:
            try:
                oml = read_source(file, shown=name)
            except ConfigurationError as problem:
                finding = unreadable(file, f"{problem} {problem.hint or ''}".strip())
                return CheckedFile(str(name), "", LineIndex(""), (finding,), self.project.root)
        analysis = check_text(oml or "", self.project, file, profile=profile, params=params)
        found, document = tuple(analysis.diagnostics), analysis.document
        return CheckedFile(name or "(text)", document.text, document.lines, found, self.project.root)

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
        self.project.invalidate()
        target = self._named(path)
        file = self.project.root / target if target is not None else None
        text = oml if oml is not None else read_source(file or self.project.root, shown=target)
        try:
            manifest, _ = compile_text(text, file, project=self.project, profile=profile, params=params, step=step)
        except CompilationError as problem:
            if not problem.diagnostics:
                raise
            report = _report([self._checked(text, target, profile, params)])
            return None, _told({**report, "ok": False}, ok=False)
        return manifest, Answer("")

    # ---- Runs ------------------------------------------------------------------------------------------------------

    def _list_runs(self, limit: int = 20) -> Answer:
        return _told(run_tools.listed(self.project, limit, self._shows_values()))

    def _show_run(self, run: str) -> Answer:
        return _told(run_tools.shown(self.project, run, self._shows_values()))

    def _follow_run(self, run: str, after: int = 0, seconds: int = 20) -> Answer:
        return _told(run_tools.followed(self.project, run, after, seconds, self._shows_values()))

    def _run_pipeline(
        self,
        path: str,
        profile: str | None = None,
        params: Mapping[str, Any] | None = None,
        to: str | None = None,
    ) -> Answer:
        manifest, failed = self._compiled(None, path, profile, params, step=to)
        return failed if manifest is None else _told(run_tools.started(self.project, manifest, params or {}, to))

    def _cancel_run(self, run: str) -> Answer:
        told = run_tools.cancelled(self.project, run)
        return _told(told, ok=bool(told["ok"]))

    def _shows_values(self) -> bool:
        """Whether messages may hold what they quote: those are values of rows."""
        try:
            return self._is_allowed("data", self._ceiling())
        except ConfigurationError:
            return False


class _Agreed(StateStore):
    """What the user has agreed to connect to; ``everything`` for this server alone, which is kept nowhere."""

    def __init__(self, everything: bool) -> None:
        super().__init__()
        self._everything = everything

    def has_consent(self, fingerprint: str) -> bool:
        """Whether the user has agreed, here or in the editor."""
        return self._everything or super().has_consent(fingerprint)

    def grant_consent(self, fingerprint: str) -> None:
        """Agents grant nothing."""
        raise ValidationError("An agent cannot agree in place of the user.")


def _no_consent(reference: str) -> ValidationError:
    return ValidationError(
        f"{reference} is not connected to: the user has not agreed to it, and nothing is known of its tables.",
        hint=f"The user can agree in the editor, start this server with --allow-connect, or read the tables once: "
        f"osiris discover {reference}",
    )


def _must_fit(arguments: Mapping[str, Any], tool: McpTool) -> None:
    """Raise ValidationError that tells the agent what the arguments must be."""
    from jsonschema import Draft202012Validator

    for problem in Draft202012Validator(tool.schema).iter_errors(dict(arguments)):
        where = ".".join(str(part) for part in problem.absolute_path)
        known = ", ".join(tool.schema["properties"]) or "none"
        said = problem.message if len(problem.message) <= 200 else f"{problem.message[:200]}…"
        raise ValidationError(f"{where}: {said}" if where else f"{said}.", hint=f"The arguments are: {known}.")


def _report(files: list[CheckedFile]) -> dict[str, Any]:
    """What ``osiris validate --format json`` prints, as much as an agent can take in, and whether there is an error."""
    found = findings_as_data(files)
    shown = found[:_MOST_FINDINGS]
    while len(shown) > 1 and len(json.dumps(shown, ensure_ascii=False)) > _MOST_CHARACTERS:
        shown = shown[: len(shown) // 2]
    report: dict[str, Any] = {"ok": not any(file.has_errors for file in files), "findings": shown}
    if len(found) > len(shown):
        report["more"] = len(found) - len(shown)
    return report


def _table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> dict[str, Any]:
    return {"columns": list(columns), "rows": [[_cell(cell) for cell in row] for row in rows]}


def _cell(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST_CELL:
        return f"{value[:_LONGEST_CELL]}…"
    return value


def _told(data: Mapping[str, Any], *, ok: bool = True) -> Answer:
    """Data for the agent. What stands in it may come from databases and files, so it is fenced."""
    return Answer(fenced(json.dumps(data, ensure_ascii=False, default=str)), ok)
