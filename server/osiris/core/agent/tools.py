"""What the tools of the model do. None of them writes a file, and none runs a pipeline."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from osiris.core.agent.conversation import ConversationContext
from osiris.core.agent.fence import fenced
from osiris.core.agent.host import AgentHost, Consent
from osiris.core.agent.looking import Looking, Told
from osiris.core.agent.proposals import (
    Proposal,
    checked_path,
    propose,
    step_ids,
    with_plain_ends,
    with_step,
)
from osiris.core.agent.reaching import reached_by
from osiris.core.agent.redaction import without_values
from osiris.core.agent.told import counted, finding_lines
from osiris.core.agent.tool_table import BY_NAME
from osiris.core.check import check_text
from osiris.core.error_taxonomy import OsirisError, ValidationError
from osiris.core.llm.ceiling import AiCeiling
from osiris.core.llm.errors import ModelCancelledError
from osiris.core.project import Project
from osiris.core.source import read_source
from osiris.core.state_store import StateStore
from osiris.language.connections import Connection

_PREVIEW_ROWS = 20
_LOOKS = frozenset({
    "list_connections", "list_components", "describe_component", "list_tables", "describe_table", "list_pipelines",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ToolResult:
    """``text`` goes to the model, ``summary`` to the user. ``question``: what the user is to choose, and from what."""

    text: str
    summary: str
    ok: bool = True
    proposal: Proposal | None = None
    question: tuple[str, tuple[str, ...]] | None = None
    looked: bool = False
    """The tables of a database were looked at."""


class Toolbox:
    """The tools of one conversation about one project."""

    def __init__(
        self,
        project: Project,
        context: ConversationContext,
        host: AgentHost,
        *,
        ceiling: Callable[[], AiCeiling],
        open_text: str | None = None,
        store: StateStore | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        """``ceiling``: what the project allows, as things are now. ``open_text``: the unsaved text of the
        conversation's pipeline. ``cancel``: set, whatever a tool is doing ends at once."""
        self.project = project
        self.context = context
        self.host = host
        self.ceiling = ceiling
        self.open = (context.path, open_text)
        self.cancel = cancel or threading.Event()
        self.looking = Looking(project, _AskedFirst(host, store or StateStore()), self.cancel)
        self.looked = False
        self.asked = False

    def call(self, name: str, arguments: str) -> ToolResult:
        """What comes of calling the tool ``name`` with ``arguments`` (JSON as the model wrote it). Never raises for
        what the model does wrong: it is told. Raises ModelCancelledError soon after ``cancel`` is set."""
        if self.cancel.is_set():
            raise ModelCancelledError("Stopped.")
        tool = BY_NAME.get(name)
        if tool is None:
            return _refused(f"There is no tool {name}. There are: {', '.join(BY_NAME)}.", f"asked for {name}")
        try:
            given = _arguments(arguments, tool.parameters)
            if name in _LOOKS:
                result = self._looked(getattr(self.looking, name)(**given))
            else:
                method: Callable[..., ToolResult] = getattr(self, f"_{name}")
                result = method(**given)
        except OsirisError as error:
            hint = f" {error.hint}" if error.hint else ""
            result = _refused(f"{error.message}{hint}", error.message)
        if self.cancel.is_set() and not result.ok:
            raise ModelCancelledError("Stopped.")
        return result

    # ---- What is there ---------------------------------------------------------------------------------------------

    def _looked(self, told: Told) -> ToolResult:
        if told.tables is not None:
            self.looked = True
            if told.tables:
                self.context.tables.add(told.tables)
        return ToolResult(told.text, told.summary, told.ok, looked=told.tables is not None)

    def _read_pipeline(self, path: str | None = None) -> ToolResult:
        return self._looked(self.looking.read_pipeline(*self._pipeline(path)))

    # ---- Proposals -------------------------------------------------------------------------------------------------

    def _propose_pipeline(self, oml: str, summary: str, path: str | None = None) -> ToolResult:
        target = checked_path(self.project, path) if path else self.context.path
        return self._judged(propose(self.project, oml, target, self._before(target), summary))

    def _propose_step(self, step: str, oml: str, summary: str, path: str | None = None) -> ToolResult:
        target, text = self._latest(path)
        proposal = propose(self.project, with_step(text, step, oml), target, self._before(target), summary)
        return self._judged(proposal)

    def _judged(self, proposal: Proposal) -> ToolResult:
        if proposal.ok:
            warnings = fenced(_json(proposal.findings())) if proposal.findings() else "none"
            text = f"It compiles, and is shown to the user as a change of {proposal.path}. Warnings: {warnings}"
            return ToolResult(text, f"{proposal.path}: no errors", proposal=proposal)
        errors = proposal.errors()
        numbered = "\n".join(f"{n:>4} {line}" for n, line in enumerate(proposal.text.split("\n"), 1))
        text = (
            "It does not compile. Mend what these findings say and propose again:\n"
            f"{fenced(_json(proposal.findings()))}\n\nYour text:\n{fenced(numbered)}"
        )
        return ToolResult(text, f"{proposal.path}: {counted(len(errors), 'error')}", ok=False, proposal=proposal)

    def _validate(self, oml: str) -> ToolResult:
        self.project.invalidate()
        file = self.project.root / self.context.path if self.context.path is not None else None
        analysis = check_text(oml, self.project, file)
        text = fenced("\n".join(finding_lines(analysis)) or "no findings")
        return ToolResult(text, f"checked: {'no errors' if analysis.ok else 'errors'}", ok=analysis.ok)

    def _preview_step(self, step: str) -> ToolResult:
        self.ceiling().require_rows()
        text, path = self.context.draft, self.context.path
        if text is None or not self.context.draft_ok or path is None:
            raise ValidationError("There is no proposal without errors to look at.")
        if step not in (steps := step_ids(text)):  # the user is asked in words of which none are the model's own
            raise ValidationError("The proposal has no such step.", hint=f"Its steps: {', '.join(steps)}.")
        connections = reached_by(self.project, text, path, step)
        if not self.context.allow_rows:
            question = f"Run the steps up to `{step}` and send its first {_PREVIEW_ROWS} rows to the AI model?"
            if not self.host.agrees(Consent.ROWS, question):
                return _refused("The user does not want rows to be sent. Go on without.", "rows were not agreed to")
            self.context.allow_rows = True
        for connection in connections:
            self.looking.explorer(connection, "its rows")
        try:
            rows = self.host.preview(text, self.project.root / path, step, _PREVIEW_ROWS, self.cancel)
        except OsirisError as error:
            return _refused(without_values(error.message, frozenset({step})), f"{step} failed")
        table = {"columns": list(rows.columns), "rows": [list(row) for row in rows.rows], "more": rows.more}
        return ToolResult(fenced(_json(table)), f"{len(rows.rows)} rows of {step} were sent")

    def _ask_choice(self, question: str, options: Sequence[str]) -> ToolResult:
        if self.looked or self.asked:
            when = "after looking at a database" if self.looked else "a second time"
            return _refused(f"No questions {when}: decide yourself and say what you assumed.", "decides itself")
        chosen = tuple(dict.fromkeys(option.strip() for option in options if option.strip()))[:5]
        if len(chosen) < 2:
            return _refused("A choice has two to five different options.", "asked without options")
        self.asked = True
        return ToolResult("The user was asked; the answer comes next.", question, question=(question, chosen))

    # ---- Help ------------------------------------------------------------------------------------------------------

    def _pipeline(self, path: str | None) -> tuple[str, str]:
        """The path and the text of a pipeline as it stands now."""
        target = path or self.context.path
        if target is None:
            raise ValidationError("No pipeline is open.", hint="Say which by `path`, or propose a new one.")
        target = checked_path(self.project, target)
        before = self._before(target)
        return target, before if before is not None else read_source(self.project.root / target)

    def _latest(self, path: str | None) -> tuple[str, str]:
        """The path and the text that the next change starts from: the last proposal, unless the file is another now."""
        target = checked_path(self.project, path) if path else self.context.path
        draft, about = self.context.draft, self.context.path
        if draft is None or about is None or target != about:
            return self._pipeline(target)
        if self._before(about) is None and not (self.project.root / about).exists():
            return about, draft
        _, there = self._pipeline(about)
        # Another text than the proposal was made for: the user has gone on with it.
        pending = with_plain_ends(there) in (self.context.draft_before, draft)
        return about, draft if pending else there

    def _before(self, target: str | None) -> str | None:
        """The unsaved text of a pipeline, when it is the open one."""
        path, text = self.open
        return text if target == path else None


class _AskedFirst:
    """Databases are connected to once the user has agreed, here or anywhere else."""

    def __init__(self, host: AgentHost, store: StateStore) -> None:
        self._host = host
        self._store = store

    def agrees(self, connection: Connection, fingerprint: str, what: str) -> bool:
        """What the user says, which is kept. Raises ValidationError for a no."""
        if not self._store.has_consent(fingerprint):
            if not self._host.agrees(Consent.CONNECT, f"Connect to {connection.reference} to read {what}?"):
                raise self.refusal(connection)
            self._store.grant_consent(fingerprint)
        return True

    def refusal(self, connection: Connection) -> ValidationError:
        """The user said no."""
        return ValidationError(
            f"The user does not want {connection.reference} to be connected to.",
            hint="Go on with what you know, and say what you could not look up.",
        )


def _arguments(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call. Raises ValidationError that tells the model what they must be."""
    try:
        given = json.loads(text or "{}")
    except ValueError as error:
        raise ValidationError(f"The arguments are not JSON: {error}.") from None
    if not isinstance(given, dict):
        raise ValidationError("The arguments must be a JSON object.")
    known: Mapping[str, Mapping[str, Any]] = schema["properties"]
    given = {name: value for name, value in given.items() if value is not None}
    for name in schema["required"]:
        if name not in given:
            raise ValidationError(f"The argument {name} is missing.")
    for name, value in given.items():
        if name not in known:
            raise ValidationError(f"There is no argument {name}.", hint=f"There are: {', '.join(known) or 'none'}.")
        wanted = list if known[name]["type"] == "array" else str
        if not isinstance(value, wanted) or (isinstance(value, list) and not all(isinstance(v, str) for v in value)):
            raise ValidationError(f"The argument {name} must be {'a list of texts' if wanted is list else 'a text'}.")
    return given


def _refused(text: str, summary: str) -> ToolResult:
    return ToolResult(text, summary, ok=False)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
