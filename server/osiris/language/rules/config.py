"""A step's ``config`` against the schema of its component, with the parameters of every profile in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from osiris.components.spec import CONNECTION_KEY, ComponentSpec, ConfigProblem
from osiris.language.connections import Connection, connection_of_step
from osiris.language.edits import column, insert_key, newline_of, quoted, remove_entry, scalar_text
from osiris.language.findings import finding, replacement
from osiris.language.model import first_line
from osiris.language.rules.context import StepContext
from osiris.language.rules.nodes import is_empty
from osiris.language.rules.steps import STEP_KEYS
from osiris.language.secrets import is_secret_key
from osiris.language.substitution import ResolvedConfig
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Node, Scalar, Style
from osiris.syntax.tree import Mapping as MappingNode

Path = tuple[str | int, ...]

_CODES = {
    "required": "OML201",
    "unknown_key": "OML202",
    "type": "OML203",
    "enum": "OML204",
    "minimum": "OML205",
    "maximum": "OML205",
    "multiple_of": "OML205",
    "min_length": "OML205",
    "max_length": "OML205",
    "min_items": "OML205",
    "max_items": "OML205",
    "pattern": "OML206",
    "constraint": "OML207",
}


def config_fits(ctx: StepContext) -> Iterator[Diagnostic]:
    """Everything the component's schema says, for the chosen parameters and then for every other profile."""
    if ctx.spec is None or ctx.shape.mapping is None or not _is_readable(ctx.shape.mapping):
        return
    told = set()
    for problem in _problems(ctx, ctx.spec, ctx.resolved):
        told.add((problem.path, problem.kind, problem.key, problem.message))
        yield _report(ctx, ctx.spec, problem, "")
    for profile, resolved in ctx.variants:
        for problem in _problems(ctx, ctx.spec, resolved):
            same = (problem.path, problem.kind, problem.key, problem.message)
            if same not in told:
                told.add(same)
                yield _report(ctx, ctx.spec, problem, f" (with the profile `{profile}`)")


def _is_readable(mapping: MappingNode) -> bool:
    """Whether ``config`` is a map, empty or absent; otherwise another rule has spoken already."""
    entry = mapping.entry("config")
    if entry is None:
        return mapping.entry("with") is None
    return entry.has_colon and (isinstance(entry.value, MappingNode) or is_empty(entry.value))


def _problems(ctx: StepContext, spec: ComponentSpec, resolved: ResolvedConfig) -> Iterator[ConfigProblem]:
    config = resolved.config
    connected = CONNECTION_KEY in config or spec.connection_needed(config)
    half_typed = _half_typed(ctx.shape.config)
    for problem in spec.check(config, connection=connected):
        if _is_open(problem, resolved.open):
            continue
        if problem.kind in ("required", "constraint") and (half_typed or not ctx.shape.part.intact):
            continue  # the missing key may be the one that cannot be read
        if problem.kind == "unknown_key" and problem.key in half_typed:
            continue
        if problem.kind == "required" and ctx.shape.mapping and ctx.shape.mapping.entry(str(problem.key)):
            continue  # it stands beside `config`, and that has been said
        if problem.kind == "constraint" and connected and any(k in spec.connection_fields for k in problem.expected):
            continue  # the connection may settle it
        yield problem
    if connected and not half_typed:
        yield from _not_supplied(ctx, spec, resolved)


def _half_typed(config: MappingNode | None) -> frozenset[str]:
    return frozenset(e.key.text for e in config.entries if not e.has_colon) if config else frozenset()


def _is_open(problem: ConfigProblem, holes: frozenset[Path]) -> bool:
    """Whether a value that is only known at run decides this."""
    if not holes:
        return False
    if problem.kind == "constraint":
        return True
    return any(problem.path == hole[: len(problem.path)] or problem.path[: len(hole)] == hole for hole in holes) and (
        problem.kind not in ("required", "unknown_key")
    )


def _not_supplied(ctx: StepContext, spec: ComponentSpec, resolved: ResolvedConfig) -> Iterator[ConfigProblem]:
    """Required keys that neither the step nor its connection gives."""
    reference = resolved.config.get(CONNECTION_KEY)
    if not spec.connection_fields or (CONNECTION_KEY,) in resolved.open or not isinstance(reference, str | None):
        return
    connection = connection_of_step(spec, reference, resolved.config, ctx.env.connections)
    if not isinstance(connection, Connection) or connection.family != spec.family:
        return
    for key in spec.required:
        if key in spec.connection_fields and key not in resolved.config and key not in connection.fields:
            if key in spec.connection_defaults or spec.unless.get(key) in connection.fields:
                continue
            message = f"{key} is missing: neither the step nor the connection {connection.reference} gives it."
            yield ConfigProblem((), "required", message, key, key)


# ---- one problem -----------------------------------------------------------------------------------------------------


def locate(config: MappingNode | None, path: Path) -> tuple[Entry | None, Node | None]:
    """The innermost entry on the way, and the node at its end (None where the way breaks off)."""
    entry: Entry | None = None
    node: Node | None = config
    for part in path:
        if isinstance(node, MappingNode) and isinstance(part, str):
            entry = node.entry(part)
            node = entry.value if entry else None
        elif node is not None and not isinstance(node, Scalar | MappingNode) and isinstance(part, int):
            node = node.items[part] if part < len(node.items) else None
        else:
            return entry, None
    return entry, node


def config_key_span(ctx: StepContext) -> Span:
    """Where a finding about the config as a whole points: its key, else the component."""
    entry = ctx.shape.mapping.entry("config") if ctx.shape.mapping else None
    if entry is not None:
        return entry.key.span
    return ctx.shape.component_node.span if ctx.shape.component_node else ctx.shape.span


def _report(ctx: StepContext, spec: ComponentSpec, problem: ConfigProblem, suffix: str) -> Diagnostic:
    config = ctx.shape.config
    entry, node = locate(config, problem.path)
    code = _CODES.get(problem.kind, "OML213")
    message = (
        problem.message[:-1] + suffix + "." if suffix and problem.message.endswith(".") else problem.message + suffix
    )
    if problem.kind == "required":
        span = entry.key.span if entry else config_key_span(ctx)
        fix = _add_key(ctx, spec, problem, node) if problem.key else None
        return finding(code, span, message, fix)
    if problem.kind == "unknown_key":
        return _unknown_key(ctx, spec, problem, entry, suffix)
    if node is None or not problem.path:
        span = config_key_span(ctx)
    elif node.span.end > node.span.start:
        span = first_line(ctx.text, node.span)
    else:
        span = entry.key.span if entry else config_key_span(ctx)
    if isinstance(node, Scalar):
        if isinstance(node.value, float) and not math.isfinite(node.value):
            return finding("OML212", span, f"{problem.message}{suffix}")
        return finding(code, span, message, *_value_fixes(node, problem, spec))
    return finding(code, span, message)


def _value_fixes(node: Scalar, problem: ConfigProblem, spec: ComponentSpec) -> Iterable[Fix]:
    """Mends of one scalar: quotes, no quotes, a list around it, or the value that was meant."""
    if node.synthetic or "${" in node.text or node.value is None or spec.is_secret(problem.path):
        return  # a fix must not repeat a secret
    wanted = problem.expected if isinstance(problem.expected, tuple) else ()
    if problem.kind == "type":
        if "string" in wanted and not isinstance(node.value, str):
            yield replacement("Put it in quotes", node.span, quoted(node.text), preferred=True)
        elif isinstance(node.value, str):
            plain = _unquoted(node.text, wanted)
            if plain is not None:
                yield replacement(f"Write `{plain}`", node.span, plain, preferred=True)
            elif "array" in wanted and node.style in (Style.PLAIN, Style.SINGLE, Style.DOUBLE):
                items = ", ".join(scalar_text(part.strip()) for part in node.text.split(",") if part.strip())
                yield replacement(f"Write `[{items}]`", node.span, f"[{items}]", preferred=True)
    elif problem.kind in ("minimum", "maximum") and node.style is Style.PLAIN and _is_bound(problem):
        yield replacement(f"Write `{problem.expected}`", node.span, str(problem.expected))
    elif problem.kind == "enum" and isinstance(node.value, str):
        choices = [choice for choice in wanted if isinstance(choice, str)]
        near = nearest(node.text, choices)
        for choice in [near] if near else choices[:5]:
            text = scalar_text(choice) if node.style is Style.PLAIN else quoted(choice)
            yield replacement(f"Replace by `{choice}`", node.span, text, preferred=choice == near)


def _is_bound(problem: ConfigProblem) -> bool:
    """Whether the number that a value must not go beyond would itself do."""
    number = isinstance(problem.expected, int | float) and not isinstance(problem.expected, bool)
    return number and f"{problem.expected} or " in problem.message


def _unquoted(text: str, wanted: tuple[Any, ...]) -> str | None:
    word = text.strip()
    if "boolean" in wanted and word.lower() in ("true", "false"):
        return word.lower()
    if ("integer" in wanted or "number" in wanted) and word.lstrip("-").isascii() and word.lstrip("-").isdigit():
        return str(int(word)) if len(word) < 20 else None
    if "number" in wanted:
        try:
            return word if math.isfinite(float(word)) and any(c.isdigit() for c in word) and "_" not in word else None
        except ValueError:
            return None
    return None


def _unknown_key(
    ctx: StepContext, spec: ComponentSpec, problem: ConfigProblem, entry: Entry | None, suffix: str
) -> Diagnostic:
    key = str(problem.key)
    span = entry.key.span if entry else config_key_span(ctx)
    known = tuple(k for k in problem.expected or () if isinstance(k, str))
    top = len(problem.path) == 1
    near = nearest(key, known) or (_by_alias(spec, key) if top else None)
    where = f"`{spec.name}`" if top else f"`{'.'.join(str(p) for p in problem.path[:-1])}` of `{spec.name}`"
    fixes: list[Fix | None] = []
    config = ctx.shape.config
    if is_secret_key(key) and not (near and is_secret_key(near)):
        message = f"{where} has no key `{key}`. {_secret_belongs(spec)}"
    elif near:
        taken = top and config is not None and config.entry(near) is not None
        hint = f"`{near}` is there already; remove this one." if taken else f"Did you mean `{near}`?"
        message = f"{where} has no key `{key}`. {hint}"
        editable = entry is not None and not entry.synthetic and not taken
        fixes.append(replacement(f"Replace by `{near}`", span, near, preferred=True) if editable else None)
    elif top and key in STEP_KEYS:
        message = f"{where} has no key `{key}`: it belongs to the step. Move it out of `config`, one level up."
    else:
        hint = f"Known are {listing(known, 12)}." if known else "It takes no config."
        message = f"{where} has no key `{key}`. {hint}"
    if entry is not None and config is not None and top and (edit := remove_entry(ctx.text, config, entry)):
        fixes.append(Fix(f"Remove `{key}`", (edit,)))
    return finding("OML202", span, message + suffix, *fixes)


def _secret_belongs(spec: ComponentSpec) -> str:
    place = "A secret never stands in OML: it belongs to the connection in osiris_connections.yaml, as `${VAR}`"
    known = [name for name in spec.connection_fields if name in spec.secrets]
    if known:
        return f"{place}; connections of `{spec.family}` have {listing(known)} for it."
    return f"{place}, where a component asks for it. `{spec.name}` asks for none: remove it."


def _by_alias(spec: ComponentSpec, key: str) -> str | None:
    """The key that is known elsewhere by this name, or by one close to it, such as ``sql`` for ``query``."""
    aliases = spec.llm_hints.get("inputAliases") or {}
    known = {other: name for name, others in aliases.items() if name in spec.properties for other in others}
    near = nearest(key, known)
    return str(known[near]) if near else None


# ---- a missing key ---------------------------------------------------------------------------------------------------


def _add_key(ctx: StepContext, spec: ComponentSpec, problem: ConfigProblem, node: Node | None) -> Fix | None:
    key, step = str(problem.key), ctx.shape.mapping
    if step is None:
        return None
    value = _sample(spec.property(key) if not problem.path else None, key)
    title = f"Add `{key}: {value}`"
    if isinstance(node, MappingNode) and (node.entries or node.flow):
        edit = insert_key(ctx.text, node, key, value)
    elif problem.path:
        edit = None
    else:
        edit = _add_config(ctx, step, f"{key}: {value}")
    return Fix(title, (edit,)) if edit else None


def _add_config(ctx: StepContext, step: MappingNode, line: str) -> TextEdit | None:
    entry = step.entry("config")
    if entry is None:
        after = step.entry("mode") or step.entry("component")
        return insert_key(ctx.text, step, "config", f"{{{line}}}" if step.flow else f"\n  {line}", after=after)
    if entry.synthetic or step.flow or entry.value.span.end > entry.value.span.start:
        return None
    at = ctx.text.find(":", entry.key.span.end) + 1
    indent = " " * (column(ctx.text, entry.key.span.start) + 2)
    return TextEdit(Span(at, at), f"{newline_of(ctx.text)}{indent}{line}") if at else None


def _sample(schema: Mapping[str, Any] | None, key: str) -> str:
    """A value of the right type that is easily recognised as one to replace."""
    schema = schema or {}
    examples = schema.get("examples") or ()
    for candidate in (*examples[:1], schema.get("default"), *schema.get("enum", ())[:1]):
        if candidate is not None:
            return scalar_text(candidate) if isinstance(candidate, str) else json.dumps(candidate)
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind in ("integer", "number"):
        return json.dumps(schema.get("minimum", 1))
    return {"boolean": "false", "array": "[]", "object": "{}"}.get(kind, f"my_{key}" if key.isidentifier() else '""')


# ---- other rules about the config ------------------------------------------------------------------------------------


def booleans(ctx: StepContext) -> Iterator[Diagnostic]:
    """``yes``, ``no``, ``on`` and ``off`` where the component wants a boolean."""
    for path, node in ctx.resolved.booleans if ctx.spec else ():
        value = ctx.resolved.config.get(str(path[0]))
        meant = "true" if value else "false"
        fix = None if node.synthetic else replacement(f"Write `{meant}`", node.span, meant, preferred=True)
        yield finding(
            "OML208", node.span, f"`{node.text}` is text in YAML 1.2; it is read as {meant}. Write `{meant}`.", fix
        )


def deprecated(ctx: StepContext) -> Iterator[Diagnostic]:
    """Keys that the component still accepts but does not want any more."""
    config, spec = ctx.shape.config, ctx.spec
    if config is None or spec is None or not spec.deprecated_keys:
        return
    for entry in config.entries:
        if entry.key.text in spec.deprecated_keys and entry.has_colon:
            schema = spec.property(entry.key.text) or {}
            why = str(schema.get("description", "")).strip()
            edit = remove_entry(ctx.text, config, entry)
            fix = Fix(f"Remove `{entry.key.text}`", (edit,), True) if edit else None
            message = f"`{entry.key.text}` of `{spec.name}` is deprecated. {why}".rstrip()
            yield finding("OML209", entry.key.span, message, fix, deprecated=True)
