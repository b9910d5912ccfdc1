"""One step: its keys and their types, id, component, mode, retry and timeout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Values
from dataclasses import replace

from osiris.language.component_names import meant_component
from osiris.language.durations import LONGEST, RETRY_DELAY, meant_duration, seconds
from osiris.language.edits import column, insert_key, line_start, newline_of, node_end, quoted, scalar_text
from osiris.language.findings import finding, replacement
from osiris.language.model import LEGACY_MODES, MODES, StepShape, first_line, step_anchor
from osiris.language.naming import step_id_problem, to_step_id
from osiris.language.rules.context import DocumentContext, StepContext
from osiris.language.rules.nodes import cut, in_quotes, is_empty, is_text_or_empty, unknown_key, value_span
from osiris.language.suggest import listing, nearest
from osiris.language.templates import DECIDED, fill, holds_param
from osiris.syntax.diagnostic import Diagnostic, Fix, Related, TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Plain, Scalar, Sequence

_LINE_END = re.compile(r"\r\n|\r|\n")

STEP_KEYS = ("id", "component", "mode", "config", "needs", "inputs", "retry", "timeout", "description")
RETRY_KEYS = ("attempts", "delay", "max_delay")
REQUIRED_STEP = ("id", "component", "mode")
LEGACY_STEP = {"uses": "component", "with": "config"}


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
        elif is_misplaced(ctx, key):
            yield _misplaced(ctx, mapping, entry)
        else:
            yield unknown_key(key, entry.key.span, STEP_KEYS, present, "A step")
    yield from _missing_keys(ctx, shape, mapping, present)


def _legacy_step(entry: Entry, present: set[str]) -> Diagnostic:
    key, new = entry.key.text, LEGACY_STEP[entry.key.text]
    message = f"`{key}` belongs to an older format; OML 0.1.0 calls it `{new}`."
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
    return finding("OML109", entry.key.span, message, fix, deprecated=True)


def is_misplaced(ctx: StepContext, key: str) -> bool:
    """Whether a key of the step is unknown there, and is a config key of the component."""
    return ctx.spec is not None and key in ctx.spec.properties and key not in STEP_KEYS and key not in LEGACY_STEP


def _misplaced(ctx: StepContext, mapping: Mapping, entry: Entry) -> Diagnostic:
    """A config key that stands beside ``config`` instead of below it; indenting mends it where ``config`` is empty."""
    message = f"`{entry.key.text}` is a key of `config`, not of the step. Indent it below `config:`."
    config = mapping.entry("config")
    if config is None or config.value.span.end > config.value.span.start or mapping.flow or entry.synthetic:
        return finding("OML108", entry.key.span, message)
    edits: list[TextEdit] = []
    behind = mapping.entries[next(i for i, e in enumerate(mapping.entries) if e is config) + 1 :]
    for stray in behind:
        if not is_misplaced(ctx, stray.key.text):
            break
        end = max(node_end(ctx.text, stray.value), stray.key.span.end)
        starts = [line_start(ctx.text, stray.key.span.start)]
        starts += [m.end() for m in _LINE_END.finditer(ctx.text, stray.key.span.start, end)]
        edits += (TextEdit(Span(at, at), "  ") for at in starts)
    fix = Fix("Indent it below `config`", tuple(edits), True) if entry in behind and edits else None
    return finding("OML108", entry.key.span, message, fix)


def _missing_keys(ctx: StepContext, shape: StepShape, mapping: Mapping, present: set[str]) -> Iterator[Diagnostic]:
    if not shape.part.intact or any(not e.has_colon for e in mapping.entries):
        return  # a key that is still being typed may well be the missing one
    excused = {LEGACY_STEP.get(key, "") for key in present}
    excused |= {near for key in present - set(STEP_KEYS) if (near := nearest(key, STEP_KEYS))}
    missing = [key for key in REQUIRED_STEP if key not in present and key not in excused]
    if missing:
        names = " and no ".join(f"`{key}`" for key in missing)
        why = _STEP_WHY[missing[0]] if len(missing) == 1 else f"A step has {listing(REQUIRED_STEP)}."
        yield finding("OML121", step_anchor(shape), f"The step has no {names}. {why}", _add_keys(ctx, mapping, missing))


def _add_keys(ctx: StepContext, mapping: Mapping, missing: list[str]) -> Fix | None:
    """The missing keys with sensible values, behind the key that usually comes before them; ``id`` comes first."""
    lines = [f"{key}: {_placeholder(ctx, key)}" for key in missing]
    position = REQUIRED_STEP.index(missing[0])
    if position == 0:
        edit = _insert_first(ctx.text, mapping, lines)
    else:
        key, _, value = lines[0].partition(": ")
        glue = ", " if mapping.flow else "\n"
        after = mapping.entry(REQUIRED_STEP[position - 1])
        edit = insert_key(ctx.text, mapping, key, glue.join((value, *lines[1:])), after=after)
    title = "Add " + ", ".join(f"`{line}`" for line in lines)
    return Fix(title, (edit,), preferred=missing == ["mode"]) if edit else None


def _insert_first(text: str, mapping: Mapping, lines: list[str]) -> TextEdit | None:
    if mapping.synthetic or not mapping.entries or mapping.entries[0].synthetic:
        return None
    at = mapping.entries[0].key.span.start
    glue = ", " if mapping.flow else newline_of(text) + " " * column(text, at)
    return TextEdit(Span(at, at), "".join(line + glue for line in lines))


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
        key = entry.key.text
        node = ctx.filled(entry.value) if key in DECIDED else entry.value
        if node is None:
            continue  # a parameter without a value is reported as such
        span = value_span(node, entry.key)
        if key in REQUIRED_STEP and (not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.text):
            if ctx.shape.part.intact or not is_empty(node):
                yield finding("OML104", span, f"`{key}` is text. {_STEP_WHY[key]}", in_quotes(node))
        elif key == "description" and not is_text_or_empty(node):
            if node is entry.value:
                yield finding("OML104", span, "`description` is text.", in_quotes(node))
        elif key in ("config", "inputs") and not isinstance(node, Mapping) and not is_empty(node):
            example = "{path: data/orders.csv}" if key == "config" else '{df: "${step-id.df}"}'
            yield finding("OML104", span, f"`{key}` is a map, such as `{key}: {example}`.")
        elif key == "needs":
            yield from _needs_types(node, entry.value, span)


def _needs_types(node: Node, written: Node, span: Span) -> Iterator[Diagnostic]:
    if isinstance(node, Scalar) and node is not written and node.value is not None and isinstance(written, Scalar):
        listed = f"[{quoted(written.text)}]"
        fix = None if written.synthetic else replacement("Put it in a list", span, listed, preferred=True)
        yield finding("OML104", span, f"`needs` is a list of step ids: `needs: {listed}`.", fix)
    elif isinstance(node, Scalar) and node.value is not None and node.text:
        ids = [scalar_text(word) for word in re.split(r"[,\s]+", node.text) if word]
        sound = not node.synthetic and all(re.search(r"\w", i) and not step_id_problem(i.strip('"')) for i in ids)
        listed = f"[{', '.join(ids)}]" if sound else "[extract-orders]"
        fix = replacement("Put it in a list", node.span, listed, preferred=True) if sound else None
        yield finding("OML104", span, f"`needs` is a list of step ids: `needs: {listed}`.", fix)
    elif isinstance(node, Mapping):
        yield finding("OML104", span, "`needs` is a list of step ids, such as `needs: [extract-orders]`.")
    elif isinstance(node, Sequence):
        for item in node.items:
            if not isinstance(item, Scalar) or item.value is None:
                yield finding("OML104", value_span(item), "`needs` lists ids of steps, each of them text.")


def step_id(ctx: StepContext) -> Iterator[Diagnostic]:
    """An id is safe as a file name and in references."""
    node = ctx.shape.id_node
    if node is None or not isinstance(node.value, str) or not node.text or holds_param(node):
        return
    problem = step_id_problem(node.text)
    if problem:
        better = to_step_id(node.text)
        fix = None if node.synthetic else replacement(f"Rename to `{better}`", node.span, better)
        message = f"The id `{cut(node.text)}` {problem}. Ids name files: use letters, digits, `_`, `-` and `.`."
        yield finding("OML122", node.span, message, fix)


def component_and_mode(ctx: StepContext) -> Iterator[Diagnostic]:
    """The component exists and works in the mode."""
    node, mode = ctx.shape.component_node, ctx.shape.mode_node
    if node is not None and isinstance(node.value, str) and node.text and ctx.spec is None:
        yield _no_such_component(ctx, node)
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
        yield finding("OML125", mode.span, f"There is no mode `{cut(mode.text)}`. {hint}", fix)
    elif ctx.spec and mode.text not in fits:
        message = f"`{ctx.spec.name}` does not work in mode `{mode.text}`; it takes {listing(fits)}."
        fix = (
            None
            if mode.synthetic
            else replacement(f"Replace by `{fits[0]}`", mode.span, fits[0], preferred=len(fits) == 1)
        )
        yield finding("OML126", mode.span, message, fix)


def without_driver(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Components that no run can use yet: each once, at the first step that names it."""
    told: set[str] = set()
    if all(spec is None or spec.driver is not None for spec in dict.fromkeys(ctx.specs)):
        return
    for step, spec in zip(ctx.pipeline.steps, ctx.specs, strict=True):
        node = step.shape.component_node
        if spec is not None and spec.driver is None and node is not None and spec.name not in told:
            told.add(spec.name)
            message = f"`{spec.name}` has no driver yet: it is checked and compiled, but a run refuses it."
            yield finding("OML129", step.place(node.span), message)


def _no_such_component(ctx: StepContext, node: Scalar) -> Diagnostic:
    broken = ctx.registry.problem(node.text)
    if broken:
        message = f"The component `{node.text}` is installed and cannot be used: {broken}"
        return finding("OML124", node.span, message)
    meant = meant_component(node.text, ctx.shape.mode, ctx.registry)
    hint = "`osiris components list` shows those that are installed."
    if ctx.shape.mode in MODES:
        others = [spec.name for spec in ctx.registry.specs() if ctx.shape.mode in spec.modes]
        hint = f"Those that {ctx.shape.mode} are {listing(others, 5)}; {hint}"
    if meant.names:
        hint = f"Did you mean {' or '.join(f'`{name}`' for name in meant.names)}?"
    fixes = [replacement(f"Replace by `{name}`", node.span, name, preferred=meant.certain) for name in meant.names]
    message = f"There is no component `{cut(node.text)}`. {hint}"
    return finding("OML124", node.span, message, *(() if node.synthetic else fixes))


def retry_and_timeout(ctx: StepContext) -> Iterator[Diagnostic]:
    """``retry`` is a count or ``{attempts, delay, max_delay}``; ``timeout`` a duration; under every profile."""
    mapping = ctx.shape.mapping
    timeout, retry = (mapping.entry("timeout"), mapping.entry("retry")) if mapping else (None, None)
    told: set[Span] = set()
    for profile, values in ctx.every_scope() if timeout or retry else ():
        for found in (*_timeout(timeout, values), *_retry(retry, values)):
            if found.span not in told:
                told.add(found.span)
                suffix = f" (With the profile `{profile}`.)" if profile else ""
                yield replace(found, message=found.message + suffix) if suffix else found


def _timeout(entry: Entry | None, values: Values[str, Plain]) -> Iterator[Diagnostic]:
    if entry is None or not entry.has_colon:
        return
    node = fill(entry.value, values)
    if node is None or is_empty(node):
        return
    value = seconds(node)
    if value is None or not 0 < value <= LONGEST:
        span = value_span(entry.value, entry.key)
        message = "`timeout` is a number of seconds above 0, or a text such as `30s`, `5m`, `2h`."
        yield finding("OML128", span, message, _as_duration(entry.value))


def _retry(entry: Entry | None, values: Values[str, Plain]) -> Iterator[Diagnostic]:
    if entry is None or not entry.has_colon:
        return
    node = fill(entry.value, values)
    if node is None or is_empty(node):
        return
    if not isinstance(node, Mapping):
        if not _is_attempts(node):
            span = value_span(entry.value, entry.key)
            message = "`retry` is a number of attempts from 1 to 100, or `{attempts, delay, max_delay}`."
            yield finding("OML127", span, message, _as_attempts(entry.value))
        return
    for each in node.entries:
        yield from _retry_key(each)
    yield from _retry_order(node)


def _retry_key(entry: Entry) -> Iterator[Diagnostic]:
    known, key = RETRY_KEYS, entry.key.text
    span = value_span(entry.value, entry.key)
    if not entry.has_colon or key.startswith("x-"):
        return
    if key not in known:
        yield unknown_key(key, entry.key.span, known, set(), "`retry`")
    elif key == "attempts" and not _is_attempts(entry.value):
        yield finding("OML127", span, "`attempts` is a whole number from 1 to 100.", _as_attempts(entry.value))
    elif key != "attempts" and ((value := seconds(entry.value)) is None or value > LONGEST):
        message = f"`{key}` is a number of seconds, or a text such as `30s`, `5m`."
        yield finding("OML127", span, message, _as_duration(entry.value))


def _as_duration(node: Node) -> Fix | None:
    """``5 minutes`` as ``5m``."""
    meant = meant_duration(node)
    if meant is None or not isinstance(node, Scalar) or node.synthetic:
        return None
    return replacement(f"Write `{meant}`", node.span, meant, preferred=True)


def _as_attempts(node: Node) -> Fix | None:
    """A count in quotes, or with a word behind it, as a number."""
    match = (
        re.fullmatch(r"(\d{1,3})(?:\s*(?:times|attempts|x))?", node.text.strip()) if isinstance(node, Scalar) else None
    )
    if match is None or not 1 <= int(match[1]) <= 100 or not isinstance(node, Scalar) or node.synthetic:
        return None
    return replacement(f"Write `{int(match[1])}`", node.span, str(int(match[1])), preferred=True)


def _retry_order(retry: Mapping) -> Iterator[Diagnostic]:
    """The longest wait is no shorter than the first one."""
    longest, first = retry.entry("max_delay"), retry.entry("delay")
    most = seconds(longest.value) if longest else None
    delay = seconds(first.value) if first else None
    if longest is None or most is None or most >= (RETRY_DELAY if delay is None else delay):
        return
    if first is not None and delay is not None:
        message = (
            "`max_delay` is the longest wait, and shorter than `delay`, the first one. Raise it, or lower `delay`."
        )
        related = [Related(value_span(first.value, first.key), "The first wait.")]
    else:
        message = (
            f"`max_delay`, the longest wait, is shorter than the first one, which is {RETRY_DELAY:g} s unless "
            "`delay` says otherwise. Raise it, or set `delay`."
        )
        related = []
    yield finding("OML127", value_span(longest.value, longest.key), message, related=related)


def _is_attempts(node: Node) -> bool:
    value = node.value if isinstance(node, Scalar) else None
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100
