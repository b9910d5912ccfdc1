"""A new step that reads a table of a connection, put in where the cursor stands, in the manner of the steps around."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.components.spec import CONNECTION_KEY, ComponentSpec
from osiris.ide.refactoring.order import explicit_need
from osiris.language.analysis import Analysis
from osiris.language.catalog import Table, TableInfo
from osiris.language.connections import Connection
from osiris.language.edits import append_lines, column, line_end, newline_of, node_end, quoted, scalar_text
from osiris.language.model import Step
from osiris.language.naming import step_id_problem, table_name
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping, Sequence

if TYPE_CHECKING:
    from osiris.language.environment import Environment

_LONGEST_LINE = 100
_MOST_COLUMNS = 300
_LONGEST_ID = 60
_FILES = re.compile(r"\.(?P<kind>csv|tsv|parquet)(\.\w+)?$", re.IGNORECASE)

Lines = list[str]


@dataclass(frozen=True, slots=True)
class NewStep:
    """The edits that put a step in, and its id; or why that cannot be done (``refused``, a sentence)."""

    edits: tuple[TextEdit, ...] = ()
    step_id: str = ""
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class _Style:
    """How the steps of a document are written: columns of dashes and keys, and how much deeper a config stands."""

    dash: int = 2
    keys: int = 4
    deeper: int = 2
    apart: bool = False


def new_step(
    analysis: Analysis,
    env: Environment,
    connection: Connection,
    table: str,
    schema: str | None = None,
    offset: int | None = None,
) -> NewStep:
    """A step that reads ``table`` (of ``schema``, None for the default one) through ``connection``.

    It comes behind the step at ``offset`` (code points), else behind the last one. Columns are listed where they are
    known. In an empty document a whole pipeline is written.
    """
    spec = _reader(connection, table, env)
    if spec is None:
        return NewStep(refused=f"No component reads a table of {connection.reference}.")
    document = analysis.document
    if document.top is not None:
        return NewStep(refused="This file is no pipeline: its top level is not a map.")
    known = _known(connection, table, schema, env)
    taken = [step.id for step in analysis.pipeline.steps if step.id]
    step_id = fresh_id(table, taken)
    fields = dict(_config(spec, connection, table, schema, known, env))
    names = _columns(spec, known)
    edits = _placed(analysis, _Written(step_id, spec, fields, names), offset)
    if edits is None:
        return NewStep(refused="The list of steps is written so that no step can be put in: see the value of `steps`.")
    return NewStep(edits, step_id)


# -- what the step says


def _reader(connection: Connection, table: str, env: Environment) -> ComponentSpec | None:
    """The component that reads a table of this connection: ``family.extractor`` before others."""
    family = connection.family
    if family == "filesystem":
        found = _FILES.search(table)
        kind = {"tsv": "csv"}.get(found["kind"].lower(), found["kind"].lower()) if found else ""
        return env.registry.get(f"filesystem.{kind}_extractor") if kind else None
    readers = [s for s in env.registry.specs() if s.family == family and "read" in s.modes and s.table_key]
    return min(readers, key=lambda spec: spec.name != f"{family}.extractor", default=None)


def _known(connection: Connection, table: str, schema: str | None, env: Environment) -> Table | None:
    knowledge = env.schema_of(connection)
    for catalog in (knowledge.discovered, knowledge.locked) if knowledge is not None else ():
        found = catalog.table(table, schema) if catalog is not None else None
        if found is not None and found.columns is not None:
            return found
    return None


def _config(
    spec: ComponentSpec, connection: Connection, table: str, schema: str | None, known: Table | None, env: Environment
) -> Iterator[tuple[str, str]]:
    yield CONNECTION_KEY, quoted(connection.reference)
    info = known.info if known is not None else TableInfo(schema or "", table)
    elsewhere = bool(info.schema) and info.schema != _home(spec, connection, env)
    if spec.table_key is None:  # a file
        yield next(iter(spec.path_keys), "path"), scalar_text(table)
        if table.lower().endswith(".tsv") and "delimiter" in spec.properties:
            yield "delimiter", '"\\t"'
        return
    if elsewhere and spec.schema_key is not None:
        yield spec.schema_key, scalar_text(info.schema)
        elsewhere = False
    yield spec.table_key, scalar_text(f"{info.schema}.{info.name}" if elsewhere else info.name)


def _home(spec: ComponentSpec, connection: Connection, env: Environment) -> str:
    """The schema that a step of this connection looks in when it says none."""
    said = connection.fields.get(spec.schema_key) if spec.schema_key is not None else None
    if isinstance(said, str):
        return said
    knowledge = env.schema_of(connection)
    return next((catalog.default_schema for catalog in knowledge.catalogs), "") if knowledge is not None else ""


def _columns(spec: ComponentSpec, known: Table | None) -> list[str]:
    columns = known.columns if known is not None and known.columns is not None else ()
    listed = "columns" in spec.properties and 0 < len(columns) <= _MOST_COLUMNS
    return [scalar_text(one.name) for one in columns] if listed else []


def fresh_id(table: str, taken: Iterable[str]) -> str:
    """An id for the step that reads ``table``, in kebab-case, unlike those that are ``taken`` and their tables."""
    stem = table.rsplit("/", 1)[-1] if "/" in table else table
    stem = _FILES.sub("", stem)
    plain = unicodedata.normalize("NFKD", stem.replace("ß", "ss")).encode("ascii", "ignore").decode()
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", plain)
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_LONGEST_ID].strip("-")
    base = f"extract-{words or 'table'}"
    there = {name.lower() for name in taken} | {table_name(name).lower() for name in taken}
    number = 1
    while True:
        name = base if number == 1 else f"{base}-{number}"
        if not there.intersection((name, table_name(name).lower())) and step_id_problem(name) is None:
            return name
        number += 1


@dataclass(frozen=True, slots=True)
class _Written:
    """A step, ready to be written: its values are YAML already."""

    step_id: str
    spec: ComponentSpec
    config: dict[str, str]
    columns: list[str]

    def flow(self) -> str:
        columns = [f"columns: [{', '.join(self.columns)}]"] if self.columns else []
        config = ", ".join([*(f"{key}: {value}" for key, value in self.config.items()), *columns])
        return f"{{id: {self.step_id}, component: {self.spec.name}, mode: read, config: {{{config}}}}}"

    def block(self, style: _Style) -> Lines:
        pad, deep = " " * style.keys, " " * (style.keys + style.deeper)
        first = " " * style.dash + "-" + " " * (style.keys - style.dash - 1)
        lines = [f"{first}id: {self.step_id}", f"{pad}component: {self.spec.name}", f"{pad}mode: read", f"{pad}config:"]
        lines += [f"{deep}{key}: {value}" for key, value in self.config.items()]
        if self.columns:
            one_line = f"{deep}columns: [{', '.join(self.columns)}]"
            if len(one_line) <= _LONGEST_LINE:
                return [*lines, one_line]
            lines += [f"{deep}columns:", *(f"{deep}{' ' * style.deeper}- {name}" for name in self.columns)]
        return lines


# -- where it goes


def _placed(analysis: Analysis, new: _Written, offset: int | None) -> tuple[TextEdit, ...] | None:
    document, text = analysis.document, analysis.document.text
    if document.steps_entry is None:
        if document.empty or not document.sections:
            return (append_lines(text, _pipeline(new, blank=bool(text.strip()))),)
        lines = "".join(f"{line}\n" for line in ("", "steps:", *new.block(_Style())))
        return (append_lines(text.rstrip() and text, lines),)
    base, entry = document.steps_entry
    node = entry.value
    steps = analysis.pipeline.steps
    if isinstance(node, Sequence) and node.flow:
        return _in_flow(document.text, node, base, steps, new)
    if steps:
        return _behind(analysis, _step_at(steps, offset), new)
    if not entry.has_colon or (node.span.end > node.span.start and not isinstance(node, Sequence)):
        return None
    at = line_end(text, base + entry.key.span.end)
    newline = newline_of(text)
    body = newline + newline.join(new.block(_Style()))
    return (TextEdit(Span(at, at), body),)


def _pipeline(new: _Written, *, blank: bool) -> str:
    name = new.step_id.removeprefix("extract-")
    head = ['oml_version: "0.1.0"', f"name: {scalar_text(name)}", "", "steps:"]
    return "".join(f"{line}\n" for line in ([""] if blank else []) + head + new.block(_Style()))


def _in_flow(
    text: str, node: Sequence, base: int, steps: tuple[Step, ...], new: _Written
) -> tuple[TextEdit, ...] | None:
    if not steps:
        at = base + node.span.start
        if text[at : at + 1] != "[" or text[at : base + node.span.end].strip("[] \t\r\n"):
            return None
        lines = newline_of(text) + newline_of(text).join(new.block(_Style()))
        start = len(text[:at].rstrip(" "))
        return (TextEdit(Span(start, base + node.span.end), lines),)
    last = steps[-1]
    at = last.base + node_end(last.shape.part.text, last.shape.part.node)
    return (TextEdit(Span(at, at), f", {new.flow()}"),)


def _step_at(steps: tuple[Step, ...], offset: int | None) -> Step:
    if offset is None:
        return steps[-1]
    return max((step for step in steps if step.base <= offset), key=lambda step: step.base, default=steps[-1])


def _behind(analysis: Analysis, step: Step, new: _Written) -> tuple[TextEdit, ...] | None:
    text, steps = analysis.document.text, analysis.pipeline.steps
    style = _style(analysis)
    if style is None:
        return None
    newline = newline_of(text)
    at = line_end(text, step.base + node_end(step.shape.part.text, step.shape.part.node))
    body = newline.join(new.block(style))
    edits = [TextEdit(Span(at, at), newline + (newline if style.apart else "") + body)]
    if step.index + 1 < len(steps):
        # The step behind waits for the step before it: that is to stay the same one.
        need = explicit_need(analysis, steps[step.index + 1])
        if need is not None:
            edits.append(need)
    return tuple(edits)


def _style(analysis: Analysis) -> _Style | None:
    """The manner of the steps that are there; None where the first of them is no map in block style."""
    text, steps = analysis.document.text, analysis.pipeline.steps
    mapping = steps[0].shape.mapping
    if mapping is None or not mapping.entries:
        return _Style()
    keys = column(text, steps[0].base + mapping.entries[0].key.span.start)
    line = text[: steps[0].base + mapping.entries[0].key.span.start].rpartition("\n")[2]
    dash = line.rfind("-")
    if dash < 0 or keys <= dash + 1 or mapping.flow:
        start = text.find("-", steps[0].base)
        dash = column(text, start) if start >= 0 else 2
        keys = dash + 2
    apart = len(steps) > 1 and _blank_between(text, steps[0], steps[1])
    return _Style(dash, keys, _deeper(text, steps) or 2, apart)


def _deeper(text: str, steps: tuple[Step, ...]) -> int | None:
    for step in steps:
        entry = step.shape.mapping.entry("config") if step.shape.mapping is not None else None
        if entry is not None and isinstance(entry.value, Mapping) and entry.value.entries and not entry.value.flow:
            inner = column(text, step.base + entry.value.entries[0].key.span.start)
            outer = column(text, step.base + entry.key.span.start)
            if 0 < inner - outer <= 8:
                return inner - outer
    return None


def _blank_between(text: str, one: Step, other: Step) -> bool:
    end = one.base + node_end(one.shape.part.text, one.shape.part.node)
    start = other.base + other.shape.part.node.span.start
    return any(not line.strip() for line in text[end:start].splitlines()[1:-1])
