"""The shape of the document: required and unknown keys, types, names, ids, modes, retry and timeout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from osiris.language.edits import insert_key, newline_of, quoted
from osiris.language.findings import finding, replacement
from osiris.language.model import LEGACY_MODES, MODES, Step, StepShape, first_line, step_anchor
from osiris.language.naming import file_name_problem, is_kebab_case, step_id_problem, to_kebab_case, to_step_id
from osiris.language.rules.context import DocumentContext, StepContext
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Fix, Related, TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Style

OML_VERSION = "0.1.0"
TOP_KEYS = ("oml_version", "name", "description", "metadata", "schedule", "params", "profiles", "steps")
REQUIRED_TOP = ("oml_version", "name", "steps")
STEP_KEYS = ("id", "component", "mode", "config", "needs", "inputs", "retry", "timeout", "description")
REQUIRED_STEP = ("id", "component", "mode")
LEGACY_TOP = {"version": "oml_version", "tasks": "steps", "connectors": "", "outputs": ""}
LEGACY_STEP = {"uses": "component", "with": "config"}


# ---- the document ----------------------------------------------------------------------------------------------------


def document_shape(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """An empty file, a top level that is no map, and missing top-level keys."""
    document = ctx.document
    if document.top is not None:
        if not _is_error(document.diagnostics):
            span = first_line(ctx.text, document.top.span)
            what = "a list" if isinstance(document.top, Sequence) else "text"
            message = f"A pipeline is a map with {listing(REQUIRED_TOP)}; the top level of this file is {what}."
            yield finding("OML102", span, message)
        return
    if not ctx.pipeline.top:
        if not _is_error(document.diagnostics):
            message = f"This file holds no pipeline yet: it needs {listing(REQUIRED_TOP)}."
            skeleton = _fields({"oml_version": OML_VERSION, "name": "my-pipeline"}) + _steps_skeleton(
                newline_of(ctx.text)
            )
            at = Span(len(ctx.text), len(ctx.text))
            yield finding("OML101", Span(0, 0), message, Fix("Insert a skeleton", (TextEdit(at, skeleton),), True))
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


def _is_error(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(True for _ in diagnostics)


def _fields(values: dict[str, str]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in values.items())


def _steps_skeleton(newline: str) -> str:
    lines = (
        "steps:",
        "  - id: extract",
        "    component: filesystem.csv_extractor",
        "    mode: read",
        "    config:",
        "      path: data/input.csv",
        "",
    )
    return newline.join(lines)


def _insert_top(ctx: DocumentContext, key: str) -> Fix | None:
    text, newline = ctx.text, newline_of(ctx.text)
    first = ctx.pipeline.top[0]
    if isinstance(first.part.node, Mapping) and first.part.node.flow:
        return None
    indent = " " * (
        first.key.start - max(text.rfind("\n", 0, first.key.start), text.rfind("\r", 0, first.key.start)) - 1
    )
    if key == "steps":
        break_before = "" if text.endswith(("\n", "\r")) else newline
        body = newline.join(indent + line if line else "" for line in _steps_skeleton("\n").split("\n"))
        return Fix("Add `steps`", (TextEdit(Span(len(text), len(text)), break_before + body),), True)
    version = ctx.pipeline.entry("oml_version")
    if key == "name" and version is not None:
        at = text.find("\n", version.value.end)
        value = "name: my-pipeline"
        if at < 0:
            return Fix("Add `name`", (TextEdit(Span(len(text), len(text)), newline + indent + value),))
        return Fix("Add `name`", (TextEdit(Span(at + 1, at + 1), f"{indent}{value}{newline}"),))
    value = f"oml_version: {OML_VERSION}" if key == "oml_version" else "name: my-pipeline"
    edit = TextEdit(Span(first.key.start, first.key.start), f"{value}{newline}{indent}")
    return Fix(f"Add `{key}`", (edit,), preferred=key == "oml_version")


def top_keys(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Legacy, misspelt and unknown keys at the top level."""
    present = {item.entry.key.text for item in ctx.pipeline.top}
    for item in ctx.pipeline.top:
        key = item.entry.key.text
        if not item.entry.has_colon or key in TOP_KEYS or key.startswith("x-"):
            continue
        if key in LEGACY_TOP:
            yield _legacy_top(ctx, key, item.key, item.entry, item.base, present)
        else:
            yield _unknown_key(key, item.key, TOP_KEYS, present, "The top level of a pipeline")


def _legacy_top(ctx: DocumentContext, key: str, span: Span, entry: Entry, base: int, present: set[str]) -> Diagnostic:
    new = LEGACY_TOP[key]
    if new and new not in present:
        edits = [TextEdit(span, new)]
        if key == "version" and isinstance(entry.value, Scalar):
            edits.append(TextEdit(entry.value.span.shift(base), OML_VERSION))
        message = f"`{key}` belongs to an older format; OML {OML_VERSION} calls it `{new}`."
        return finding("OML109", span, message, Fix(f"Replace by `{new}`", tuple(edits), True))
    why = {
        "connectors": "connections stand in osiris_connections.yaml, and a step refers to one as `@family.alias`",
        "outputs": "what a pipeline writes is said by its steps with `mode: write`",
    }.get(key, f"`{new}` has taken its place")
    whole = _entry_lines(ctx.text, entry.span.shift(base))
    fix = replacement(f"Remove `{key}`", whole, "")
    return finding("OML109", span, f"`{key}` belongs to an older format: {why}. Remove it.", fix)


def _entry_lines(text: str, span: Span) -> Span:
    """The whole lines of a top-level entry, up to the next line that is not part of it."""
    start = max(text.rfind("\n", 0, span.start), text.rfind("\r", 0, span.start)) + 1
    end = span.end
    while end > span.start and text[end - 1] in " \t\r\n":
        end -= 1
    match = re.compile(r"[^\r\n]*(\r\n|\r|\n)?").match(text, end)
    return Span(start, match.end() if match else end)


def _unknown_key(key: str, span: Span, known: tuple[str, ...], present: set[str], where: str) -> Diagnostic:
    near = nearest(key, known)
    if near is not None:
        taken = near in present
        fix = None if taken else replacement(f"Replace by `{near}`", span, near, preferred=True)
        return finding("OML108", span, f"{where} has no key `{key}`. Did you mean `{near}`?", fix)
    message = (
        f"{where} has no key `{key}`; it is ignored. Known keys are {listing(known, 10)}. Own keys start with `x-`."
    )
    return finding("OML107", span, message, replacement(f"Rename to `x-{key}`", span, f"x-{key}"), unnecessary=True)


def version(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """``oml_version`` is the text 0.1.0."""
    item = ctx.pipeline.entry("oml_version")
    if item is None or not item.entry.has_colon:
        return
    node = item.entry.value
    fix = replacement(
        f"Write `{OML_VERSION}`", _value_span(node).shift(item.base), _spaced(node, OML_VERSION), preferred=True
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
        yield finding("OML104", item.value, "`name` is text, such as `name: daily-orders`.", _quote(node, item.base))
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
            f"{listing(others, 3)} has the name `{text}`, too: both compile into `build/{text}/`, and the later one "
            "replaces the earlier. Rename one of them."
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
        if item and not _is_empty(item.entry.value) and not isinstance(item.entry.value, Mapping):
            yield finding("OML104", item.value, f"`{key}` is a map; it may hold anything.")
    item = ctx.pipeline.entry("description")
    if item and not _is_text_or_empty(item.entry.value):
        yield finding("OML104", item.value, "`description` is text.", _quote(item.entry.value, item.base))
    item = ctx.pipeline.entry("steps")
    if item is None or not item.entry.has_colon or not item.part.intact or ctx.pipeline.steps:
        return
    value = item.entry.value
    if isinstance(value, Sequence) or _is_empty(value):
        edit = TextEdit(item.entry.span.shift(item.base), _steps_skeleton(newline_of(ctx.text)).rstrip())
        fix = (
            Fix("Add a step", (edit,))
            if _is_empty(value) and item.entry.span.end <= item.entry.key.span.end + 1
            else None
        )
        yield finding("OML113", item.key, "`steps` is empty: a pipeline has at least one step.", fix)
    else:
        what = "a map" if isinstance(value, Mapping) else "a single value"
        message = f"`steps` is a list of steps, each starting with `- id: ...`; here it is {what}."
        yield finding("OML104", first_line(ctx.text, item.value), message)


def step_ids(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Ids are unique, also when case is ignored."""
    first: dict[str, Step] = {}
    for step in ctx.pipeline.steps:
        step_id = step.shape.id
        if step_id is None:
            continue
        other = first.setdefault(step_id.casefold(), step)
        if other is step:
            continue
        alike = "" if other.shape.id == step_id else " (upper and lower case are not told apart)"
        message = f"The id `{step_id}` is taken by step {other.index + 1}{alike}. Give this step another id."
        related = [Related(other.anchor, f"Step {other.index + 1} has the id `{other.shape.id}`.")]
        yield finding("OML123", step.anchor, message, related=related)


# ---- one step --------------------------------------------------------------------------------------------------------


def step_shape(ctx: StepContext) -> Iterator[Diagnostic]:
    """A step is a map; its keys are known; ``id``, ``component`` and ``mode`` are there."""
    shape = ctx.shape
    mapping = shape.mapping
    if mapping is None:
        if not shape.part.diagnostics:
            span = first_line(ctx.text, shape.span)
            if span.end == span.start:
                at = ctx.text.find("-", 0, span.start + 1)
                span = Span(at, at + 1) if at >= 0 else span
            yield finding("OML120", span, f"A step is a map with {listing(REQUIRED_STEP)}.")
        return
    present = {entry.key.text for entry in mapping.entries}
    for entry in mapping.entries:
        key = entry.key.text
        if not entry.has_colon or entry.synthetic or key in STEP_KEYS or key.startswith("x-"):
            continue
        if key in LEGACY_STEP:
            yield _legacy_step(entry, present)
        else:
            yield _unknown_key(key, entry.key.span, STEP_KEYS, present, "A step")
    yield from _missing_keys(ctx, shape, mapping, present)


def _legacy_step(entry: Entry, present: set[str]) -> Diagnostic:
    key, new = entry.key.text, LEGACY_STEP[entry.key.text]
    message = f"`{key}` belongs to an older format; OML {OML_VERSION} calls it `{new}`."
    fix = None if new in present else replacement(f"Replace by `{new}`", entry.key.span, new, preferred=True)
    if (
        fix
        and key == "uses"
        and isinstance(entry.value, Scalar)
        and "@" in entry.value.text
        and not entry.value.synthetic
    ):
        bare = TextEdit(entry.value.span, entry.value.text.partition("@")[0])
        fix = Fix(fix.title, (*fix.edits, bare), True)
    return finding("OML109", entry.key.span, message, fix)


def _missing_keys(ctx: StepContext, shape: StepShape, mapping: Mapping, present: set[str]) -> Iterator[Diagnostic]:
    if not shape.part.intact or any(not e.has_colon for e in mapping.entries):
        return  # a key that is still being typed may well be the missing one
    excused = {LEGACY_STEP.get(key, "") for key in present}
    excused |= {near for key in present - set(STEP_KEYS) if (near := nearest(key, STEP_KEYS))}
    missing = [key for key in REQUIRED_STEP if key not in present and key not in excused]
    for key in missing:
        entry = mapping.entry(REQUIRED_STEP[REQUIRED_STEP.index(key) - 1]) if key != "id" else None
        value = _placeholder(ctx, key)
        edit = insert_key(ctx.text, mapping, key, value, after=entry) if value else None
        fix = Fix(f"Add `{key}: {value}`", (edit,), preferred=key == "mode") if edit else None
        yield finding("OML121", step_anchor(shape), f"The step has no `{key}`. {_STEP_WHY[key]}", fix)


_STEP_WHY = {
    "id": "Other steps refer to it by its id, and its table is named after it.",
    "component": "It says what the step does, such as `filesystem.csv_extractor`.",
    "mode": "It is one of `read`, `transform`, `write`.",
}


def _placeholder(ctx: StepContext, key: str) -> str:
    """A value for a missing key that is right, or at least sensible."""
    if key == "mode":
        return ctx.spec.modes[0] if ctx.spec else "read"
    if key == "component":
        by_mode = {"transform": "duckdb.processor", "write": "filesystem.csv_writer"}
        return by_mode.get(ctx.shape.mode or "", "filesystem.csv_extractor")
    return to_step_id(f"{ctx.shape.mode or 'step'}-{(ctx.shape.component or 'data').rpartition('.')[2]}").lower()


def step_types(ctx: StepContext) -> Iterator[Diagnostic]:
    """Types of the values of a step's keys."""
    mapping = ctx.shape.mapping
    for entry in mapping.entries if mapping else ():
        if not entry.has_colon:
            continue
        key, node = entry.key.text, entry.value
        span = _value_span(node, entry.key)
        if key in REQUIRED_STEP and (not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.text):
            if ctx.shape.part.intact or not _is_empty(node):
                yield finding("OML104", span, f"`{key}` is text. {_STEP_WHY[key]}", _quote(node))
        elif key == "description" and not _is_text_or_empty(node):
            yield finding("OML104", span, "`description` is text.", _quote(node))
        elif key in ("config", "inputs") and not isinstance(node, Mapping) and not _is_empty(node):
            example = "{path: data/orders.csv}" if key == "config" else '{df: "${step-id.df}"}'
            yield finding("OML104", span, f"`{key}` is a map, such as `{key}: {example}`.")
        elif key == "needs":
            yield from _needs_types(node, span)


def _needs_types(node: Node, span: Span) -> Iterator[Diagnostic]:
    if isinstance(node, Scalar) and node.value is not None and node.text:
        fix = (
            None if node.synthetic else replacement("Put it in a list", node.span, f"[{_source(node)}]", preferred=True)
        )
        yield finding("OML104", span, f"`needs` is a list of step ids: `needs: [{node.text}]`.", fix)
    elif isinstance(node, Mapping):
        yield finding("OML104", span, "`needs` is a list of step ids, such as `needs: [extract-orders]`.")
    elif isinstance(node, Sequence):
        for item in node.items:
            if not isinstance(item, Scalar) or item.value is None:
                yield finding("OML104", _value_span(item), "`needs` lists ids of steps, each of them text.")


def step_id(ctx: StepContext) -> Iterator[Diagnostic]:
    """An id is safe as a file name and in references."""
    node = ctx.shape.id_node
    if node is None or not isinstance(node.value, str) or not node.text:
        return
    problem = step_id_problem(node.text)
    if problem:
        better = to_step_id(node.text)
        fix = None if node.synthetic else replacement(f"Rename to `{better}`", node.span, better)
        message = f"The id `{_cut(node.text)}` {problem}. Ids name files: use letters, digits, `_`, `-` and `.`."
        yield finding("OML122", node.span, message, fix)


def component_and_mode(ctx: StepContext) -> Iterator[Diagnostic]:
    """The component exists and works in the mode."""
    node, mode = ctx.shape.component_node, ctx.shape.mode_node
    if node is not None and isinstance(node.value, str) and node.text and ctx.spec is None:
        broken = ctx.registry.problem(node.text)
        near = None if broken else nearest(node.text, ctx.registry.names())
        if broken:
            message = f"The component `{node.text}` is installed and cannot be used: {broken}"
        elif near:
            message = f"There is no component `{_cut(node.text)}`. Did you mean `{near}`?"
        else:
            message = (
                f"There is no component `{_cut(node.text)}`. `osiris components list` shows those that are installed."
            )
        fix = (
            replacement(f"Replace by `{near}`", node.span, near, preferred=True)
            if near and not node.synthetic
            else None
        )
        yield finding("OML124", node.span, message, fix)
    if mode is None or not isinstance(mode.value, str) or not mode.text:
        return
    fits = ctx.spec.modes if ctx.spec else MODES
    if mode.text not in MODES:
        meant = LEGACY_MODES.get(mode.text) or nearest(mode.text, MODES)
        if ctx.spec and len(fits) == 1:
            meant = fits[0]
        hint = f"Did you mean `{meant}`?" if meant else f"Modes are {listing(MODES)}."
        fix = (
            replacement(f"Replace by `{meant}`", mode.span, meant, preferred=True)
            if meant and not mode.synthetic
            else None
        )
        yield finding("OML125", mode.span, f"There is no mode `{_cut(mode.text)}`. {hint}", fix)
    elif ctx.spec and mode.text not in fits:
        message = f"`{ctx.spec.name}` does not work in mode `{mode.text}`; it takes {listing(fits)}."
        fix = (
            None
            if mode.synthetic
            else replacement(f"Replace by `{fits[0]}`", mode.span, fits[0], preferred=len(fits) == 1)
        )
        yield finding("OML126", mode.span, message, fix)


# ---- retry and timeout -----------------------------------------------------------------------------------------------

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}
_LONGEST = 366 * 86400.0


def seconds(node: Node | None) -> float | None:
    """A duration in seconds: a number, or a text such as ``30s``, ``5m``, ``2h``; None for anything else."""
    if not isinstance(node, Scalar) or isinstance(node.value, bool) or node.value is None:
        return None
    match = _DURATION.fullmatch(node.text.strip())
    if match is None or (isinstance(node.value, float) and node.value != node.value):
        return None
    return float(match[1][:20]) * _UNITS[match[2]]


def retry_and_timeout(ctx: StepContext) -> Iterator[Diagnostic]:
    """``retry`` is a count or ``{attempts, delay, max_delay}``; ``timeout`` a duration."""
    mapping = ctx.shape.mapping
    timeout = mapping.entry("timeout") if mapping else None
    if timeout and timeout.has_colon and not _is_empty(timeout.value):
        value = seconds(timeout.value)
        if value is None or not 0 < value <= _LONGEST:
            span = _value_span(timeout.value, timeout.key)
            yield finding(
                "OML128", span, "`timeout` is a number of seconds above 0, or a text such as `30s`, `5m`, `2h`."
            )
    retry = mapping.entry("retry") if mapping else None
    if retry is None or not retry.has_colon or _is_empty(retry.value):
        return
    if not isinstance(retry.value, Mapping):
        if not _is_attempts(retry.value):
            span = _value_span(retry.value, retry.key)
            yield finding(
                "OML127", span, "`retry` is a number of attempts from 1 to 100, or `{attempts, delay, max_delay}`."
            )
        return
    for entry in retry.value.entries:
        yield from _retry_key(entry)


def _retry_key(entry: Entry) -> Iterator[Diagnostic]:
    known, key = ("attempts", "delay", "max_delay"), entry.key.text
    span = _value_span(entry.value, entry.key)
    if not entry.has_colon or key.startswith("x-"):
        return
    if key not in known:
        yield _unknown_key(key, entry.key.span, known, set(), "`retry`")
    elif key == "attempts" and not _is_attempts(entry.value):
        yield finding("OML127", span, "`attempts` is a whole number from 1 to 100.")
    elif key != "attempts" and ((value := seconds(entry.value)) is None or value > _LONGEST):
        yield finding("OML127", span, f"`{key}` is a number of seconds, or a text such as `30s`, `5m`.")


def _is_attempts(node: Node) -> bool:
    value = node.value if isinstance(node, Scalar) else None
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100


# ---- small things ----------------------------------------------------------------------------------------------------


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _is_text_or_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and (node.value is None or isinstance(node.value, str))


def _value_span(node: Node, key: Scalar | None = None) -> Span:
    """The node, or the key when there is nothing to point at."""
    return key.span if key is not None and node.span.end <= node.span.start else node.span


def _quote(node: Node, base: int = 0) -> Fix | None:
    """Quotes around a plain number, boolean or the like that should be text."""
    if isinstance(node, Scalar) and node.style is Style.PLAIN and node.value is not None and not node.synthetic:
        return replacement("Put it in quotes", node.span.shift(base), quoted(node.text), preferred=True)
    return None


def _spaced(node: Node, text: str) -> str:
    return f" {text}" if _is_empty(node) else text


def _source(node: Scalar) -> str:
    return quoted(node.text) if node.style is not Style.PLAIN else node.text


def _cut(text: str) -> str:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return "".join(c if c.isprintable() else "?" for c in shown)
