"""Secrets never stand in a pipeline: found by key, by form and by randomness; the fix moves them to the environment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace

from osiris.components.spec import CONNECTION_KEY, ComponentSpec
from osiris.language.connections import Connection
from osiris.language.declaring import declare_param, free_param_name
from osiris.language.edits import insert_key, node_end, quoted, remove_entry
from osiris.language.facts import SecretHit
from osiris.language.findings import finding, replacement
from osiris.language.model import Step
from osiris.language.naming import variable_name
from osiris.language.placeholders import find_placeholders
from osiris.language.rules.context import DocumentContext, StepContext
from osiris.language.secret_forms import secrets_by_form
from osiris.language.secrets import dsn_password_span, find_known_formats, high_entropy_spans
from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Plain, Scalar, Sequence, walk_scalars

Path = tuple[str | int, ...]


def secrets_of_step(ctx: StepContext) -> Iterator[SecretHit]:
    """The secrets in a step's values, each once, the surest detector first."""
    mapping, spec = ctx.shape.mapping, ctx.spec
    if mapping is None:
        return
    if spec is not None and ctx.shape.config is not None and (spec.secrets or spec.connections):
        yield from _by_key(ctx, spec, ctx.shape.config, ())
    if not _suspicious(ctx.text):
        return
    told: list[Span] = []
    for entry in mapping.entries:
        in_config = entry.key.text == "config"
        for path, scalar in _scalars(entry.value, ()):
            if in_config and spec is not None and _is_secret(spec, path):
                told.append(scalar.span)
                continue
            key = next((p for p in reversed(path) if isinstance(p, str)), entry.key.text)
            for hit in secrets_by_form(scalar, ctx.text, key):
                told.append(hit.value)
                # Only in the config is a parameter put in.
                yield hit if in_config else replace(hit, movable=False)
    yield from _beside_values(ctx.text, told)


def _beside_values(text: str, told: list[Span]) -> Iterator[SecretHit]:
    """Known formats in comments and keys; ``told`` are the values that have been judged."""
    told = sorted(told)
    for found in find_known_formats(text):
        at = bisect_right(told, found.start, key=lambda span: span.start) - 1
        if at < 0 or told[at].end < found.end:
            span = Span(found.start, found.end)
            yield SecretHit("OML503", span, span, "", found.kind, False)


def _suspicious(text: str) -> bool:
    """A quick look at a whole part, so that most parts are never walked."""
    return bool(
        find_known_formats(text)
        or (("://" in text or "=" in text) and dsn_password_span(text))
        or high_entropy_spans(text)
        or ('"' in text and "\\" in text)  # an escape may hide where a word begins
    )


def _scalars(node: Node, path: Path) -> Iterator[tuple[Path, Scalar]]:
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _scalars(item, (*path, index))
    else:
        for entry in node.entries:
            yield from _scalars(entry.value, (*path, entry.key.text))


def _is_secret(spec: ComponentSpec, path: Path) -> bool:
    return spec.is_secret(path) or (len(path) == 1 and any(f.secret and f.name == path[0] for f in spec.connections))


def _by_key(ctx: StepContext, spec: ComponentSpec, node: Node, path: Path) -> Iterator[SecretHit]:
    if isinstance(node, Mapping):
        for entry in node.entries:
            yield from _by_key(ctx, spec, entry.value, (*path, entry.key.text))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _by_key(ctx, spec, item, (*path, index))
    elif path and _is_secret(spec, path) and node.value is not None and not isinstance(node.value, bool):
        key = next(str(p) for p in reversed(path) if isinstance(p, str))
        names = [p.name for p in find_placeholders(node.text) if p.kind == "param"]
        if names:
            for name in names:
                if name in ctx.scope.params and name not in ctx.scope.sensitive:
                    yield SecretHit("OML508", node.span, node.span, name, f"`{key}` of `{spec.name}`", False)
        elif node.text.strip("* ") and "${" not in node.text:
            yield SecretHit("OML501", node.span, node.span, key, f"`{key}` of `{spec.name}`", not node.synthetic)


# ---- findings --------------------------------------------------------------------------------------------------------


def secrets(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """All secrets of the document, with fixes that move them to the environment."""
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        for hit in report.secrets:
            yield _finding(ctx, step, hit)
    for item in ctx.pipeline.top:
        if item.entry.key.text == "steps" or not _suspicious(item.part.text):
            continue
        text, key = item.part.text, item.entry.key.text
        hits = [hit for scalar in walk_scalars(item.entry.value) for hit in secrets_by_form(scalar, text, key)]
        hits += _beside_values(item.part.text, [hit.value for hit in hits])
        for hit in hits:
            span = hit.span.shift(item.base)
            yield finding(hit.code, span, _message(hit), _take_out(ctx.text, hit.code, span))
    yield from _given(ctx)


def _given(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Values from the command line or the environment that are secrets, for parameters that are not sensitive."""
    for name, value in ctx.values.values.items():
        if value.sensitive or value.source not in ("given", "environment"):
            continue
        if any(find_known_formats(text) or dsn_password_span(text) for text in _texts(value.value)):
            message = (
                f"The value given for `{name}` has the form of a secret, and the parameter is not sensitive: the value "
                "would be written into the manifest. Declare it with `sensitive: true`."
            )
            yield finding("OML508", ctx.pipeline.params[name].key, message, _mark_sensitive(ctx, name))


def _texts(value: Plain) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _message(hit: SecretHit) -> str:
    if hit.code == "OML501":
        return f"{hit.text} is a secret and must not stand in a pipeline. Give it by a connection or the environment."
    if hit.code == "OML502":
        return "This address holds a password, and secrets never stand in a pipeline. Move it to a connection."
    if hit.code == "OML503":
        return f"This has the form of a secret ({hit.text}), and secrets never stand in a pipeline. Move it away."
    if hit.code == "OML504":
        return "This may be a secret: it is long and random. If it is one, move it to a connection or the environment."
    return f"{hit.text} is a secret, and the parameter `{hit.key}` is not sensitive: its value would be written down."


def _finding(ctx: DocumentContext, step: Step, hit: SecretHit) -> Diagnostic:
    span = step.place(hit.span)
    if hit.code == "OML508":
        return finding("OML508", span, _message(hit), _mark_sensitive(ctx, hit.key))
    fixes: list[Fix | None] = []
    if not hit.movable:
        fixes = [_take_out(ctx.text, hit.code, span)]
    else:
        drop = _drop(ctx, step, hit)
        fixes = [drop] if drop else [_to_parameter(ctx, step, hit), *_to_connection(ctx, step, hit)]
    return finding(hit.code, span, _message(hit), *fixes)


def _take_out(text: str, code: str, span: Span) -> Fix | None:
    """Something that tells nothing in the place of a secret that no parameter can stand for."""
    if text.startswith("*", span.start) or span.end <= span.start:
        return None  # it stands behind an alias
    return replacement("Take it out", span, "***" if code == "OML502" else "(removed)")


def _drop(ctx: DocumentContext, step: Step, hit: SecretHit) -> Fix | None:
    """The field goes where the step has a connection that is there to give it."""
    spec, config = ctx.specs[step.index], step.shape.config
    entry = config.entry(hit.key) if config else None
    if spec is None or config is None or entry is None or entry.value.span != hit.value:
        return None
    if config.entry(CONNECTION_KEY) is None or spec.connection_fields.get(hit.key) != "forbidden":
        return None
    edit = remove_entry(step.shape.part.text, config, entry)
    return Fix(f"Remove `{hit.key}`; the connection gives it", (edit,), True).shift(step.base) if edit else None


def _to_parameter(ctx: DocumentContext, step: Step, hit: SecretHit) -> Fix | None:
    """A sensitive parameter in the place of the value; its value comes from ``OSIRIS_PARAM_X``."""
    name = free_param_name(ctx.pipeline, (hit.key, f"{step.shape.id or 'step'}_{hit.key}"))
    declaration = declare_param(ctx.text, ctx.pipeline, name, "{type: string, sensitive: true}")
    if declaration is None:
        return None
    use = TextEdit(step.place(hit.value), quoted(f"${{params.{name}}}"))
    variable = variable_name(name)
    return Fix(f"Take it from the environment as {variable}", (declaration, use), variable=variable)


def _to_connection(ctx: DocumentContext, step: Step, hit: SecretHit) -> Iterator[Fix]:
    """A connection that holds the field already, in the place of the field."""
    spec, config = ctx.specs[step.index], step.shape.config
    entry = config.entry(hit.key) if config else None
    if spec is None or config is None or entry is None or entry.value.span != hit.value or ctx.env.connections is None:
        return
    if config.entry(CONNECTION_KEY) is not None or hit.key not in spec.connection_fields:
        return
    group = ctx.env.connections.families.get(spec.family, {})
    for connection in sorted(group.values(), key=lambda c: c.alias)[:3]:
        if hit.key in connection.fields:
            edits = _replaced(step.shape.part.text, config, entry, connection, spec)
            if edits:
                yield Fix(f"Use the connection `{connection.reference}`", edits).shift(step.base)


def _replaced(
    text: str, config: Mapping, entry: Entry, connection: Connection, spec: ComponentSpec
) -> tuple[TextEdit, ...]:
    """The connection in the place of the first of the fields that it gives, the others away."""
    given = [
        one
        for one in config.entries
        if one is entry
        or (one.key.text in connection.fields and spec.connection_fields.get(one.key.text) == "forbidden")
    ]
    first = given[0]
    whole = Span(first.key.span.start, max(node_end(text, first.value), first.key.span.end))
    edits = [TextEdit(whole, f"{CONNECTION_KEY}: {quoted(connection.reference)}")]
    gone = [remove_entry(text, config, one) for one in given[1:]]
    return (*edits, *(edit for edit in gone if edit)) if None not in gone else ()


def _mark_sensitive(ctx: DocumentContext, name: str) -> Fix | None:
    item = ctx.pipeline.entry("params")
    declared = item.entry.value if item else None
    entry = declared.entry(name) if isinstance(declared, Mapping) else None
    if item is None or entry is None or entry.synthetic:
        return None
    title = f"Make `{name}` sensitive; its value then comes from {variable_name(name)}"
    text = item.part.text
    if isinstance(entry.value, Mapping):
        if entry.value.entry("default") is not None or entry.value.entry("sensitive") is not None:
            return None
        edit = insert_key(text, entry.value, "sensitive", "true")
    else:
        end = max(node_end(text, entry.value), entry.key.span.end + 1)
        edit = TextEdit(Span(entry.key.span.end, end), ": {type: string, sensitive: true}")
    return Fix(title, (edit,)).shift(item.base) if edit else None
