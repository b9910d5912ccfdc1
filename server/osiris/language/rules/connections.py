"""``config.connection``: its form, its family, whether it is there, and what a step may override."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.components.spec import CONNECTION_KEY, ComponentSpec
from osiris.language.connections import Connection, ConnectionProblem, connection_of_step, parse_reference
from osiris.language.edits import insert_key, quoted, remove_entry
from osiris.language.facts import ConnectionUse
from osiris.language.findings import finding, replacement
from osiris.language.project_file_names import CONNECTIONS_FILE
from osiris.language.rules.config import config_key_span
from osiris.language.rules.context import DocumentContext, StepContext
from osiris.language.suggest import listing
from osiris.syntax.diagnostic import Diagnostic, Fix
from osiris.syntax.tree import Entry, Scalar


def connection(ctx: StepContext) -> Iterator[Diagnostic]:
    """The connection is written ``@family.alias``, is of the component's family, and is in the file."""
    spec, config = ctx.spec, ctx.shape.config
    if spec is None:
        return
    entry = config.entry(CONNECTION_KEY) if config else None
    if entry is None:
        yield from _default(ctx, spec)
        return
    if not entry.has_colon or (CONNECTION_KEY,) in ctx.resolved.open:
        return
    if CONNECTION_KEY in spec.properties:
        return  # the component gives the key a meaning of its own
    value = ctx.resolved.config.get(CONNECTION_KEY)
    span = entry.value.span if entry.value.span.end > entry.value.span.start else entry.key.span
    if not spec.takes_connection:
        edit = remove_entry(ctx.text, config, entry) if config else None
        fix = Fix("Remove `connection`", (edit,), True) if edit else None
        yield finding("OML202", entry.key.span, f"`{spec.name}` takes no connection.", fix)
    elif not isinstance(value, str) or parse_reference(value) is None:
        yield finding("OML320", span, _form(ctx, spec), *_forms(ctx, spec, entry))
    else:
        yield from _named(ctx, spec, entry, value)


def _form(ctx: StepContext, spec: ComponentSpec) -> str:
    choices = ctx.env.connections.references(spec.family) if ctx.env.connections else ()
    hint = f" There is {listing(choices)}." if choices else ""
    return f'A connection is written `"@family.alias"`, here `"@{spec.family}...."`.{hint}'


def _forms(ctx: StepContext, spec: ComponentSpec, entry: Entry) -> Iterator[Fix]:
    node = entry.value
    if not isinstance(node, Scalar) or node.synthetic or "${" in node.text:
        return
    text = node.text.strip().lstrip("@")
    span, blank = node.span, node.span.end <= node.span.start
    meant = text if parse_reference(f"@{text}") else f"{spec.family}.{text}"
    if not blank and parse_reference(f"@{meant}"):
        yield replacement(f"Write `@{meant}`", span, quoted(f"@{meant}"), preferred=True)
    elif ctx.env.connections:
        for choice in ctx.env.connections.references(spec.family)[:5]:
            yield replacement(f"Write `{choice}`", span, (" " if blank else "") + quoted(choice))


def _named(ctx: StepContext, spec: ComponentSpec, entry: Entry, reference: str) -> Iterator[Diagnostic]:
    family, alias = parse_reference(reference) or ("", "")
    connections = ctx.env.connections
    node = entry.value
    editable = isinstance(node, Scalar) and not node.synthetic and "${" not in node.text
    if family != spec.family:
        same = connections.get(spec.family, alias) if connections else None
        choices = [same.reference] if same else list(connections.references(spec.family))[:5] if connections else []
        hint = f" Use {listing(choices)}." if choices else f" Use one of the family `{spec.family}`."
        message = f"`{spec.name}` takes a connection of the family `{spec.family}`, and `{reference}` is none.{hint}"
        fixes = [replacement(f"Write `{c}`", node.span, quoted(c), preferred=len(choices) == 1) for c in choices]
        yield finding("OML322", node.span, message, *(fixes if editable else ()))
        return
    if connections is None:
        return
    found = connections.choose(family, alias)
    if isinstance(found, ConnectionProblem):
        better = [found.suggestion] if found.suggestion else list(found.choices[:5])
        better = [c for c in better if c.startswith(f"@{spec.family}.")]
        fixes = [replacement(f"Write `{c}`", node.span, quoted(c), preferred=c == found.suggestion) for c in better]
        yield finding("OML321", node.span, found.message, *(fixes if editable else ()))
    else:
        yield from _overrides(ctx, spec, found)


def _default(ctx: StepContext, spec: ComponentSpec) -> Iterator[Diagnostic]:
    """Without a reference the default connection counts, where the component needs one."""
    if not spec.takes_connection or ctx.shape.mapping is None or not ctx.shape.part.intact:
        return
    found = connection_of_step(spec, None, ctx.resolved.config, ctx.env.connections)
    if isinstance(found, Connection):
        yield from _overrides(ctx, spec, found)
    elif found is not None:
        fixes: list[Fix] = []
        config = ctx.shape.config
        for choice in found.choices[:5] if config is not None else ():
            edit = insert_key(ctx.text, config, CONNECTION_KEY, quoted(choice)) if config else None
            if edit:
                fixes.append(Fix(f"Use `{choice}`", (edit,)))
        yield finding("OML323", config_key_span(ctx), found.message, *fixes)


def _overrides(ctx: StepContext, spec: ComponentSpec, used: Connection) -> Iterator[Diagnostic]:
    """Fields of the connection that the step sets as well, by the policy of the component."""
    config = ctx.shape.config
    for entry in config.entries if config else ():
        key = entry.key.text
        policy = spec.connection_fields.get(key)
        if not entry.has_colon or policy in (None, "allowed"):
            continue
        if spec.is_secret((key,)) and "${" not in ctx.text[entry.value.span.start : entry.value.span.end]:
            continue  # reported as a secret
        edit = remove_entry(ctx.text, config, entry) if config else None
        fix = Fix(f"Remove `{key}`", (edit,), policy == "forbidden") if edit else None
        if policy == "forbidden":
            message = f"`{key}` belongs to the connection `{used.reference}` alone. Remove it here, or use another one."
            yield finding("OML210", entry.key.span, message, fix)
        elif key in used.fields:
            message = f"`{key}` replaces the value of the connection `{used.reference}` in this step."
            yield finding("OML211", entry.key.span, message, fix)


def connection_use(ctx: StepContext) -> ConnectionUse | None:
    """Where the step needs a connection, None when it needs none."""
    spec, shape = ctx.spec, ctx.shape
    if spec is None or not spec.takes_connection:
        return None
    config = shape.config
    entry = config.entry(CONNECTION_KEY) if config else None
    if entry is not None:
        return ConnectionUse(
            spec.family, entry.value.span if entry.value.span.end > entry.value.span.start else entry.key.span
        )
    keys = [entry.key.text for entry in config.entries] if config else []
    if shape.part.intact and shape.component_node is not None and spec.connection_needed(keys):
        return ConnectionUse(spec.family, shape.component_node.span)
    return None


def file_is_there(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """One warning per document when it refers to connections and the project has no connections file."""
    if ctx.env.connections is not None:
        return
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        if report.connection is not None:
            message = (
                f"The project has no {CONNECTIONS_FILE}, and this step needs a connection of the family "
                f"`{report.connection.family}`. The pipeline compiles; a run needs the file."
            )
            yield finding("OML324", step.place(report.connection.span), message)
            return
