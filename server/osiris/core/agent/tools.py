"""What the tools of the model do. None of them writes a file, and none runs a pipeline."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from osiris.core.agent.conversation import ConversationContext
from osiris.core.agent.host import AgentHost, Consent
from osiris.core.agent.proposals import (
    Proposal,
    checked_path,
    propose,
    step_ids,
    with_plain_ends,
    with_step,
)
from osiris.core.agent.reaching import connection_named, reached_by
from osiris.core.agent.redaction import without_values
from osiris.core.agent.tool_table import BY_NAME
from osiris.core.check import check_text
from osiris.core.config import Config
from osiris.core.discovery import DiscoveryAgent
from osiris.core.error_taxonomy import ConnectionError, OsirisError, ValidationError  # noqa: A004 - our own
from osiris.core.project import Project
from osiris.core.source import read_source
from osiris.core.state_store import StateStore
from osiris.language.catalog import Column, TableInfo
from osiris.language.connections import Connection
from osiris.language.suggest import nearest
from osiris.syntax.text import LineIndex

_MOST_TABLES = 200
_MOST_CHARACTERS = 30_000
_PREVIEW_ROWS = 20
_LOOKING = frozenset({"list_tables", "describe_table"})
# The `<` of whatever a reader may take for one of our marks: in capitals, with blanks or signs within.
_FENCE = re.compile(r"<(?=[^\w<>]*/[^\w<>]*data\b|[^\w<>]*data[^\w<>]*>)", re.IGNORECASE)


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
        allow_rows: bool,
        open_text: str | None = None,
        store: StateStore | None = None,
    ) -> None:
        """``allow_rows``: whether the project allows rows to be sent at all, once the user agrees. ``open_text``: the
        unsaved text of the conversation's pipeline."""
        self.project = project
        self.context = context
        self.host = host
        self.allow_rows = allow_rows
        self.open_text = open_text
        self.store = store or StateStore()
        self.looked = False
        self.asked = False

    def call(self, name: str, arguments: str) -> ToolResult:
        """What comes of calling the tool ``name`` with ``arguments`` (JSON as the model wrote it). Never raises for
        what the model does wrong: it is told."""
        tool = BY_NAME.get(name)
        if tool is None:
            return _refused(f"There is no tool {name}. There are: {', '.join(BY_NAME)}.", f"asked for {name}")
        try:
            given = _arguments(arguments, tool.parameters)
            method: Callable[..., ToolResult] = getattr(self, f"_{name}")
            return method(**given)
        except OsirisError as error:
            hint = f" {error.hint}" if error.hint else ""
            if name not in _LOOKING:
                return _refused(f"{error.message}{hint}", error.message)
            if isinstance(error, ValidationError):  # it may hold names that somebody gave to tables
                return _refused(f"That did not work:\n{fenced(error.message + hint)}", error.message)
            # Hosts, users and what servers say are for the user alone.
            return _refused("It could not be read; the user is told why. Go on with what you know.", error.message)

    # ---- What is there ---------------------------------------------------------------------------------------------

    def _list_connections(self) -> ToolResult:
        environment = self.project.environment()
        connections = environment.connections
        found = [] if connections is None else list(connections.references())
        lines = []
        for reference in found:
            connection = self.connection(reference)
            knowledge = self.project.schema_of(connection)
            count = len(knowledge.catalogs[0].tables) if knowledge is not None and knowledge.catalogs else None
            known = "tables not read yet" if count is None else f"{count} tables known"
            default = ", default" if connection.is_default else ""
            lines.append(f"{reference} ({known}{default})")
        text = "\n".join(lines) or "The project has no connections."
        return ToolResult(text, f"{len(found)} connections")

    def _list_components(self) -> ToolResult:
        specs = list(self.project.environment().registry.specs())
        lines = [f"{spec.name} [{', '.join(spec.modes)}]: {_first_sentence(spec.description)}" for spec in specs]
        return ToolResult("\n".join(lines), f"{len(specs)} components")

    def _describe_component(self, component: str) -> ToolResult:
        registry = self.project.environment().registry
        spec = registry.get(component)
        if spec is None:
            close = nearest(component, list(registry.names()))
            raise ValidationError(
                f"There is no component {component}.", hint=f"Did you mean {close}?" if close else None
            )
        about = {
            "name": spec.name,
            "modes": list(spec.modes),
            "description": spec.description,
            "takes_connection": spec.takes_connection,
            "required": list(spec.required),
            "config": {name: _plain_schema(schema) for name, schema in spec.properties.items()},
            "examples": [dict(example) for example in spec.examples[:1]],
        }
        return ToolResult(_json(about), spec.name)

    def _list_tables(self, connection: str, contains: str = "") -> ToolResult:
        agent = self._agent(connection)
        tables = [info for info in agent.get_tables() if contains.casefold() in info.name.casefold()]
        with contextlib.suppress(ConnectionError):  # so that proposals are checked to the last column
            agent.discover_schema()
        default = self._default_schema(connection)
        lines = table_lines(tables, default)
        self.looked = True
        if tables:
            self.context.tables.add(f"{connection}: {_count(len(tables), 'name')}")
        return ToolResult(fenced("\n".join(lines) or "no tables"), f"{len(tables)} tables of {connection}", looked=True)

    def _describe_table(self, connection: str, table: str) -> ToolResult:
        agent = self._agent(connection)
        columns = agent.get_columns(table)
        self.looked = True
        self.context.tables.add(f"{connection}: {table}")
        text = "\n".join(column_line(column) for column in columns)
        return ToolResult(fenced(text), f"{len(columns)} columns of {connection} {table}", looked=True)

    def _list_pipelines(self) -> ToolResult:
        paths = [self.project.relative(path) for path in self.project.pipelines()]
        return ToolResult(fenced("\n".join(paths) or "no pipelines"), f"{len(paths)} pipelines")

    def _read_pipeline(self, path: str | None = None) -> ToolResult:
        target, text = self._pipeline(path)
        analysis = check_text(text, self.project, self.project.root / target)
        lines = LineIndex(text)
        findings = [
            f"line {lines.line_column(f.span.start)[0] + 1}: {f.code} {f.message}" for f in analysis.diagnostics
        ]
        report = "\n".join(findings) or "nothing is wrong in it"
        return ToolResult(fenced(f"# {target}\n{text}\n# findings\n{report}"), f"read {target}")

    # ---- Proposals -------------------------------------------------------------------------------------------------

    def _propose_pipeline(self, oml: str, summary: str, path: str | None = None) -> ToolResult:
        target = checked_path(self.project, path) if path else self.context.path
        before = self.open_text if target is not None and target == self.context.path else None
        return self._judged(propose(self.project, oml, target, before, summary))

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
        return ToolResult(text, f"{proposal.path}: {_count(len(errors), 'error')}", ok=False, proposal=proposal)

    def _validate(self, oml: str) -> ToolResult:
        found = propose(self.project, oml, self.context.path)
        text = fenced(_json(found.findings())) if found.findings() else "no findings"
        return ToolResult(text, f"checked: {_count(len(found.errors()), 'error')}", ok=found.ok)

    def _preview_step(self, step: str) -> ToolResult:
        from osiris.core.llm.errors import AiForbiddenError

        if not self.allow_rows:
            raise AiForbiddenError("Rows of data may not be sent: osiris.yaml does not allow it (ai.allow_rows).")
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
            self._agreed(connection, "its rows")
        try:
            rows = self.host.preview(text, self.project.root / path, step, _PREVIEW_ROWS)
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

    def connection(self, reference: str) -> Connection:
        """The connection with that name, with or without its `@`. Raises ValidationError when there is none."""
        return connection_named(self.project.environment().connections, reference)

    def _agent(self, reference: str) -> DiscoveryAgent:
        """The explorer of the database, once the user has agreed to connect to it."""
        return self._agreed(self.connection(reference), "its tables and columns")

    def _agreed(self, connection: Connection, what: str) -> DiscoveryAgent:
        """The explorer behind a connection, once the user has agreed to connect to read ``what``."""
        agent = DiscoveryAgent(Config.load(self.project.root).connection(connection.reference), root=self.project.root)
        fingerprint = str(agent.fingerprint)
        if not self.store.has_consent(fingerprint):
            question = f"Connect to {connection.reference} to read {what}?"
            if not self.host.agrees(Consent.CONNECT, question):
                raise ValidationError(
                    f"The user does not want {connection.reference} to be connected to.",
                    hint="Go on with what you know, and say what you could not look up.",
                )
            self.store.grant_consent(fingerprint)
        return agent

    def _default_schema(self, reference: str) -> str:
        knowledge = self.project.schema_of(self.connection(reference))
        return knowledge.catalogs[0].default_schema if knowledge is not None and knowledge.catalogs else ""

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

    def _before(self, target: str) -> str | None:
        return self.open_text if target == self.context.path else None


def fenced(text: str) -> str:
    """``text`` from a database or a file, marked as material; it cannot close the fence itself."""
    cut = text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}\n... (cut)"
    return f"<data>\n{_FENCE.sub('‹', cut)}\n</data>"


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


def _first_sentence(text: str) -> str:
    line = " ".join(text.split())
    end = line.find(". ")
    return line if end < 0 else line[: end + 1]


def _plain_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = (
        "type",
        "description",
        "enum",
        "default",
        "minimum",
        "maximum",
        "pattern",
        "items",
        "properties",
        "required",
    )
    return {name: schema[name] for name in kept if name in schema}


def table_lines(tables: Sequence[TableInfo], default_schema: str) -> list[str]:
    """What a model is told of tables, one in a line, and how many more there are."""
    lines = [
        _shown_name(info.schema, info.name, default_schema)
        + (f" ({info.kind})" if info.kind != "table" else "")
        + (f" ~{info.rows} rows" if info.rows is not None else "")
        + (f": {info.comment}" if info.comment else "")
        for info in tables[:_MOST_TABLES]
    ]
    if len(tables) > _MOST_TABLES:
        lines.append(f"... and {len(tables) - _MOST_TABLES} more; narrow them with `contains`")
    return lines


def _shown_name(schema: str, name: str, default: str) -> str:
    return name if not schema or schema == default else f"{schema}.{name}"


def column_line(column: Column) -> str:
    """What a model is told of a column, in one line."""
    parts = [f"{column.name}: {column.type}"]
    if column.primary_key:
        parts.append("primary key")
    if column.nullable is False:
        parts.append("not null")
    if column.references:
        parts.append(f"references {column.references}")
    if column.values:
        parts.append(f"one of {', '.join(column.values[:20])}")
    if column.comment:
        parts.append(f"comment: {column.comment}")
    return "; ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
