"""The shape of the document: required and unknown keys, types, version, name, and ids that are taken."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Container, Iterator
from itertools import count

from osiris.language.edits import append_lines, column, line_end, line_start, newline_of, quoted
from osiris.language.findings import finding, replacement
from osiris.language.model import Step, TopEntry, first_line
from osiris.language.naming import file_name_problem, is_kebab_case, step_id_problem, to_kebab_case
from osiris.language.rules.context import DocumentContext
from osiris.language.rules.nodes import in_quotes, is_empty, is_text_or_empty, unknown_key, value_span
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Fix, Related, TextEdit
from osiris.syntax.split import find_body
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence

OML_VERSION = "0.1.0"
TOP_KEYS = ("oml_version", "name", "description", "metadata", "schedule", "params", "profiles", "steps")
REQUIRED_TOP = ("oml_version", "name", "steps")
LEGACY_TOP = {"version": "oml_version", "tasks": "steps", "connectors": "", "outputs": ""}


def document_shape(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """An empty file, a top level that is no map, and missing top-level keys."""
    document = ctx.document
    if document.top is not None:
        if not document.diagnostics:
            span = first_line(ctx.text, document.top.span)
            what = "a list" if isinstance(document.top, Sequence) else "text"
            message = f"A pipeline is a map with {listing(REQUIRED_TOP)}; the top level of this file is {what}."
            yield finding("OML102", span, message, _below_steps(ctx, document.top))
        return
    if not ctx.pipeline.top:
        if not document.diagnostics:
            message = f"This file holds no pipeline yet: it needs {listing(REQUIRED_TOP)}."
            skeleton = _fields({"oml_version": OML_VERSION, "name": "my-pipeline"}) + _STEPS_SKELETON
            edit = append_lines(ctx.text, skeleton, _document_end(ctx.text))
            yield finding("OML101", Span(0, 0), message, Fix("Insert a skeleton", (edit,), True))
        return
    present = {item.entry.key.text for item in ctx.pipeline.top}
    if any(not item.part.intact or not item.entry.has_colon for item in ctx.pipeline.top):
        return  # a key that cannot be read may well be the missing one
    excused = {LEGACY_TOP.get(key, "") for key in present} | {
        near for key in present - set(TOP_KEYS) if (near := nearest(key, REQUIRED_TOP))
    }
    for key in REQUIRED_TOP:
        if key not in present and key not in excused:
            span = ctx.pipeline.top[0].key
            yield finding("OML103", span, f"The pipeline has no `{key}`. {_WHY[key]}", _insert_top(ctx, key))


_WHY = {
    "oml_version": f"It says which OML this is: add `oml_version: {OML_VERSION}`.",
    "name": "It names the folder of the compiled pipeline: add `name: my-pipeline`.",
    "steps": "It lists what the pipeline does: add at least one step.",
}


def _below_steps(ctx: DocumentContext, top: Node) -> Fix | None:
    """A list of maps at the top level is most likely that of the steps."""
    at = top.span.start
    if not isinstance(top, Sequence) or top.flow or not all(isinstance(item, Mapping) for item in top.items):
        return None
    head = _fields({"oml_version": OML_VERSION, "name": "my-pipeline"}) + "steps:\n"
    if column(ctx.text, at):
        return None
    return Fix("Put the list under `steps`", (TextEdit(Span(at, at), head.replace("\n", newline_of(ctx.text))),))


def _fields(values: dict[str, str]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in values.items())


_STEPS_SKELETON = """\
steps:
  - id: extract
    component: filesystem.csv_extractor
    mode: read
    config:
      path: data/input.csv
"""


def _document_end(text: str) -> int:
    """Where the document ends: in front of the marker ``...`` or ``---`` of another one, if there is one."""
    return find_body(text.replace("\r", "\n")).end


def _insert_top(ctx: DocumentContext, key: str) -> Fix | None:
    text, newline = ctx.text, newline_of(ctx.text)
    first = ctx.pipeline.top[0]
    if isinstance(first.part.node, Mapping) and first.part.node.flow:
        return None
    indent = " " * min(column(text, item.key.start) for item in ctx.pipeline.top)
    if key == "steps":
        body = textwrap.indent(_STEPS_SKELETON, indent)
        return Fix("Add `steps`", (append_lines(text, body, _document_end(text)),), True)
    version = ctx.pipeline.entry("oml_version")
    if key == "name" and version is not None:
        at = line_end(text, version.value.end)
        return Fix("Add `name`", (TextEdit(Span(at, at), f"{newline}{indent}name: my-pipeline"),))
    value = f"oml_version: {OML_VERSION}" if key == "oml_version" else "name: my-pipeline"
    at = first.key.start
    while at and text[at - 1] == " ":
        at -= 1
    edit = TextEdit(Span(at, at), f"{indent}{value}{newline}")
    return Fix(f"Add `{key}`", (edit,), preferred=key == "oml_version")


def top_keys(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Legacy, misspelt and unknown keys at the top level."""
    present = {item.entry.key.text for item in ctx.pipeline.top}
    for item in ctx.pipeline.top:
        key = item.entry.key.text
        if not item.entry.has_colon or key in TOP_KEYS or key.startswith("x-"):
            continue
        if any(found.span == item.entry.key.span for found in item.part.diagnostics):
            continue  # it is at the wrong place, which is all that can be said of it
        if key in LEGACY_TOP:
            yield _legacy_top(ctx, key, item.key, item.entry, item.base, present)
        else:
            yield unknown_key(key, item.key, TOP_KEYS, present, "The top level of a pipeline")


def _legacy_top(ctx: DocumentContext, key: str, span: Span, entry: Entry, base: int, present: set[str]) -> Diagnostic:
    new = LEGACY_TOP[key]
    if new and new not in present:
        edits = [TextEdit(span, new)]
        if key == "version" and isinstance(entry.value, Scalar):
            edits.append(TextEdit(entry.value.span.shift(base), OML_VERSION))
        message = f"`{key}` belongs to an older format; OML {OML_VERSION} calls it `{new}`."
        return finding("OML109", span, message, Fix(f"Replace by `{new}`", tuple(edits), True), deprecated=True)
    why = {
        "connectors": "connections stand in osiris_connections.yaml, and a step refers to one as `@family.alias`",
        "outputs": "what a pipeline writes is said by its steps with `mode: write`",
    }.get(key, f"`{new}` has taken its place")
    whole = _entry_lines(ctx.text, entry.span.shift(base))
    keep = replacement(f"Keep it as `x-{key}`", span, f"x-{key}")
    fix = replacement(f"Remove `{key}`", whole, "")
    return finding("OML109", span, f"`{key}` belongs to an older format: {why}. Remove it.", fix, keep, deprecated=True)


def _entry_lines(text: str, span: Span) -> Span:
    """The whole lines of a top-level entry, up to the next line that is not part of it."""
    start = max(text.rfind("\n", 0, span.start), text.rfind("\r", 0, span.start)) + 1
    end = span.end
    while end > span.start and text[end - 1] in " \t\r\n":
        end -= 1
    match = re.compile(r"[^\r\n]*(\r\n|\r|\n)?").match(text, end)
    return Span(start, match.end() if match else end)


def version(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """``oml_version`` is the text 0.1.0."""
    item = ctx.pipeline.entry("oml_version")
    if item is None or not item.entry.has_colon:
        return
    node = item.entry.value
    fix = replacement(
        f"Write `{OML_VERSION}`", value_span(node).shift(item.base), _spaced(node, OML_VERSION), preferred=True
    )
    if not isinstance(node, Scalar) or node.value is None:
        yield finding("OML104", item.value, f"`oml_version` is text: write `oml_version: {OML_VERSION}`.", fix)
    elif not isinstance(node.value, str):
        fix = replacement(f'Write `"{OML_VERSION}"`', item.value, quoted(OML_VERSION), preferred=True)
        message = f"`{node.text}` is a number here, and a version is text: write `oml_version: {OML_VERSION}`."
        yield finding("OML104", item.value, message, fix)
    elif node.text != OML_VERSION:
        if re.fullmatch(r"0\.1\.\d+", node.text):
            message = f"OML {node.text} is not known to this release; the file is read as {OML_VERSION}."
            yield finding("OML106", item.value, message, fix)
        else:
            message = f"This release reads OML 0.1.x, not `{node.text}`. Write `oml_version: {OML_VERSION}`."
            yield finding("OML105", item.value, message, fix)


def name(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """The pipeline's name is text that can name a folder; kebab-case and unique in the project."""
    item = ctx.pipeline.entry("name")
    if item is None or not item.entry.has_colon:
        return
    node = item.entry.value
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        yield finding("OML104", item.value, "`name` is text, such as `name: daily-orders`.", in_quotes(node, item.base))
        return
    text = node.text
    problem = file_name_problem(text)
    kebab = to_kebab_case(text)
    fix = replacement(f"Rename to `{kebab}`", item.value, kebab) if kebab and file_name_problem(kebab) is None else None
    if problem:
        message = (
            f"The name `{text}` {problem}, so it cannot name the folder `build/<name>/`. Use letters, digits, `-`."
        )
        yield finding("OML110", item.value, message, fix)
        return
    others = ctx.env.pipelines_named(text)
    if others:
        message = (
            f"{listing(others, 3)} {'has' if len(others) == 1 else 'have'} the name `{text}`, too: "
            f"{'both' if len(others) == 1 else 'all'} compile into `build/{text}/`, and the last one replaces the "
            "others. Rename all but one."
        )
        yield finding("OML112", item.value, message)
    if not is_kebab_case(text):
        message = (
            f"The name `{text}` is not kebab-case; `{kebab}` reads the same in paths and logs."
            if kebab
            else (f"The name `{text}` is not kebab-case: lower-case letters and digits, joined by dashes.")
        )
        yield finding("OML111", item.value, message, fix)


def top_types(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Types of the other top-level values; ``steps`` is a list that is not empty."""
    for key in ("metadata", "schedule"):
        item = ctx.pipeline.entry(key)
        if item and not is_empty(item.entry.value) and not isinstance(item.entry.value, Mapping):
            yield finding("OML104", item.value, f"`{key}` is a map; it may hold anything.")
    item = ctx.pipeline.entry("description")
    if item and not is_text_or_empty(item.entry.value):
        yield finding("OML104", item.value, "`description` is text.", in_quotes(item.entry.value, item.base))
    item = ctx.pipeline.entry("steps")
    if item is None or not item.entry.has_colon or not item.part.intact or ctx.pipeline.steps:
        return
    value = item.entry.value
    if isinstance(value, Sequence) or is_empty(value):
        yield finding("OML113", item.key, "`steps` is empty: a pipeline has at least one step.", _first_step(ctx, item))
    else:
        what = "a map" if isinstance(value, Mapping) else "a single value"
        message = f"`steps` is a list of steps, each starting with `- id: ...`; here it is {what}."
        yield finding("OML104", first_line(ctx.text, item.value), message)


def _first_step(ctx: DocumentContext, item: TopEntry) -> Fix | None:
    """A step in place of a list or value that is empty and holds nothing else."""
    value, start = item.entry.value, item.key.start
    nothing = is_empty(value) and item.entry.span.end <= item.entry.key.span.end + 1
    before = ctx.text[line_start(ctx.text, start) : start].removeprefix("\ufeff")
    if before.strip(" ") or not (nothing or (isinstance(value, Sequence) and not value.synthetic)):
        return None
    lines = textwrap.indent(_STEPS_SKELETON, before).strip()
    edit = TextEdit(item.entry.span.shift(item.base), lines.replace("\n", newline_of(ctx.text)))
    return Fix("Add a step", (edit,))


def step_ids(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Ids are unique, also when case is ignored. Each of two equal ones leads to the other."""
    alike: dict[str, list[Step]] = {}
    for step in ctx.pipeline.steps:
        if step.shape.id is not None:
            alike.setdefault(step.shape.id.casefold(), []).append(step)
    for steps in alike.values():
        first, *others = steps
        for step in others:
            related = [Related(first.anchor, f"Step {first.index + 1} has the id `{first.shape.id}`.")]
            message = f"The id `{step.shape.id}` is taken by step {first.index + 1}{_case(step, first)}. {_RENAME}"
            yield finding("OML123", step.anchor, message, _other_id(step, alike), related=related)
        if others:
            related = [
                Related(step.anchor, f"Step {step.index + 1} has the id `{step.shape.id}`.")
                for step in others[:_MOST_RELATED]
            ]
            too = f"step {others[0].index + 1}{_case(first, others[0])}"
            too += f" and {len(others) - 1} more" if len(others) > 1 else ""
            message = f"The id `{first.shape.id}` is also that of {too}. {_RENAME}"
            yield finding("OML123", first.anchor, message, related=related)


_RENAME = "Give this step another id."
_MOST_RELATED = 20


def _other_id(step: Step, taken: Container[str]) -> Fix | None:
    """A number behind the id of the later one; what refers to the id goes on to mean the first."""
    node, name = step.shape.id_node, step.shape.id
    if node is None or name is None or node.synthetic:
        return None
    better = next(f"{name}-{number}" for number in count(2) if f"{name}-{number}".casefold() not in taken)
    return (
        replacement(f"Rename to `{better}`", step.place(node.span), better) if step_id_problem(better) is None else None
    )


def _case(step: Step, other: Step) -> str:
    return "" if other.shape.id == step.shape.id else " (upper and lower case are not told apart)"


def _spaced(node: Node, text: str) -> str:
    return f" {text}" if is_empty(node) else text
