"""Parameters: references in the steps, values that cannot stand where they stand, and declarations nobody uses."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from osiris.language.declaring import undeclare_param
from osiris.language.findings import finding, replacement
from osiris.language.model import HeldPlaceholder
from osiris.language.naming import is_param_name
from osiris.language.rules.context import DocumentContext, StepContext
from osiris.language.substitution import SubstitutionProblem, substitute_text
from osiris.language.suggest import listing, nearest
from osiris.language.templates import DECIDED, FIXED, holds_param
from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping, Node, Scalar, Sequence, Style

_PREFIX = re.compile(r"(?P<prefix>[A-Za-z_]+)\.(?P<name>[A-Za-z_][A-Za-z0-9_-]*)")


def references(ctx: StepContext) -> Iterator[Diagnostic]:
    """Every ``${...}`` in a step is ``${params.x}`` of a declared parameter."""
    for held in ctx.shape.placeholders:
        kind, name = held.found.kind, held.found.name
        if kind == "param" and (name in ctx.scope.params or _in_comment(ctx, held)):
            continue
        if (kind != "param" and _in_comment(ctx, held)) or (kind == "param" and held.key in FIXED):
            continue  # no reference, or reported by `places`
        span = ctx.source(held.scalar, *held.found.span)
        if kind == "param":
            yield _unknown(ctx, held)
        elif kind == "variable":
            yield _variable(ctx, held, span)
        else:
            yield _other(ctx, held, span)


def _in_comment(ctx: StepContext, held: HeldPlaceholder) -> bool:
    """Whether it stands in a comment of SQL, where nothing is put in."""
    dialect = ctx.spec.sql_keys.get(str(held.path[1])) if ctx.spec and len(held.path) == 2 else None
    if dialect in (None, "graphql") or held.key != "config":
        return False
    tokens = ctx.sql(held.scalar, str(dialect))
    at = bisect_right(tokens, held.found.span.start, key=lambda token: token.span.start) - 1
    return at >= 0 and tokens[at].kind == "comment" and held.found.span.start < tokens[at].span.end


def _meant(ctx: StepContext, name: str) -> str | None:
    """The declared parameter that a broken reference most likely means: it counts as used."""
    meant = name if name in ctx.scope.params else nearest(name, ctx.scope.params)
    if meant is not None:
        ctx.meant_params.append(meant)
    return meant


def _unknown(ctx: StepContext, held: HeldPlaceholder) -> Diagnostic:
    name = held.found.name
    span = ctx.source(held.scalar, *held.found.name_span)
    near = _meant(ctx, name)
    if near:
        hint = f"Did you mean `{near}`?"
    elif ctx.scope.params:
        hint = f"Declared are {listing(ctx.scope.params)}."
    else:
        hint = "Declare it under `params` at the top level."
    fix = (
        replacement(f"Replace by `{near}`", span, near, preferred=True) if near and not held.scalar.synthetic else None
    )
    return finding("OML311", span, f"There is no parameter `{name}`. {hint}", fix)


def _variable(ctx: StepContext, held: HeldPlaceholder, span: Span) -> Diagnostic:
    name = held.found.name
    meant = _meant(ctx, name.lower().removeprefix("osiris_param_"))
    message = (
        f"`${{{name}}}` is a variable of the environment, which works in osiris_connections.yaml only. Use a parameter "
        f"(`${{params.{meant or name.lower()}}}`), or move the value into a connection."
    )
    if meant is None or held.scalar.synthetic:
        return finding("OML312", span, message)
    text = f"${{params.{meant}}}"
    return finding("OML312", span, message, replacement(f"Replace by `{text}`", span, text))


def _other(ctx: StepContext, held: HeldPlaceholder, span: Span) -> Diagnostic:
    name = held.found.name
    match = _PREFIX.fullmatch(name)
    meant = None
    if match and nearest(match["prefix"], ("params", "parameters", "param", "vars")):
        meant = _meant(ctx, match["name"]) or match["name"]
    elif name in ctx.scope.params:
        meant = _meant(ctx, name)
    if meant:
        text = f"${{params.{meant}}}"
        fix = None if held.scalar.synthetic else replacement(f"Replace by `{text}`", span, text, preferred=True)
        return finding("OML313", span, f"`${{{name}}}` refers to nothing. Did you mean `{text}`?", fix)
    if held.found.kind == "step":
        message = f"The data of `{name}` can be taken in `inputs` only. In SQL it is the table `df_...` of the step."
    else:
        message = f"`${{{name}}}` refers to nothing. A parameter is written `${{params.name}}`."
    return finding("OML313", span, message)


def broken(ctx: StepContext) -> Iterator[Diagnostic]:
    """Parameters that would silently stay text: a brace that is not closed, or the braces of a template language."""
    for held in ctx.shape.broken:
        if _in_comment(ctx, held):
            continue
        if held.found.kind == "unclosed":
            yield _unclosed(ctx, held)
        elif held.found.kind == "prefixed" or held.found.name in ctx.scope.params:
            yield _in_braces(ctx, held)


def _unclosed(ctx: StepContext, held: HeldPlaceholder) -> Diagnostic:
    found = held.found
    # In `${params.day-01.csv` the name may end before what looks like the rest of it.
    starts = [name for name in ctx.scope.params if found.name.startswith(f"{name}-")]
    name = found.name if found.name in ctx.scope.params else max(starts, key=len, default=found.name)
    end = found.name_span.start + len(name)
    span = ctx.source(held.scalar, found.span.start, end)
    if not name:
        message = "`${params.` is neither named nor closed, so it would stay text. Write `${params.name}`."
        return finding("OML317", span, message)
    known = _meant(ctx, name) == name
    message = f"The brace of `${{params.{name}` is never closed, so it would stay text. Write `${{params.{name}}}`."
    fix = Fix("Close the brace", (TextEdit(Span(span.end, span.end), "}"),), preferred=known)
    return finding("OML317", span, message, None if held.scalar.synthetic else fix)


def _in_braces(ctx: StepContext, held: HeldPlaceholder) -> Diagnostic:
    span = ctx.source(held.scalar, *held.found.span)
    written = held.scalar.text[held.found.span.start : held.found.span.end]
    meant = _meant(ctx, held.found.name) or held.found.name
    text = f"${{params.{meant}}}"
    message = f"`{written}` is text here: OML has no double braces. A parameter is written `{text}`."
    fix = replacement(f"Write `{text}`", span, text, preferred=meant in ctx.scope.params)
    return finding("OML318", span, message, None if held.scalar.synthetic else fix)


_NOT_IN = {
    "id": "Other steps, tables and files refer to the step by its id, so it must be the same under every profile: "
    "write it out.",
    "inputs": 'An input names the step that the data is from, written `"${step-id.df}"`. To choose a step by a '
    "parameter, use `needs`.",
}


def places(ctx: StepContext) -> Iterator[Diagnostic]:
    """Parameters stand where they may stand, and outside of ``config`` they have a value that anyone may see."""
    for held in ctx.shape.placeholders:
        name, place = held.found.name, held.key
        param = ctx.scope.params.get(name)
        if held.found.kind != "param" or place not in (*DECIDED, *FIXED):
            continue
        if place in FIXED:
            why = f"A parameter cannot stand in `{place}`. {_NOT_IN[place]}"
        elif param is None:
            continue
        elif name in ctx.scope.sensitive:
            why = (
                f"`{name}` is sensitive, and `{place}` is written into the manifest for everyone to read. Use "
                "sensitive parameters in `config` only."
            )
        elif name in ctx.scope.values or param.has_default or not param.sound:
            continue
        else:
            why = (
                f"`{name}` has no value, and `{place}` is decided when the pipeline is compiled. Give the parameter a "
                "default, or a value in the profile that is compiled."
            )
        yield finding("OML316", ctx.source(held.scalar, *held.found.span), why)
    yield from _in_keys(ctx)


def _in_keys(ctx: StepContext) -> Iterator[Diagnostic]:
    """Keys stay as they are written, so a parameter in one would silently be text."""
    todo: list[Node] = [ctx.shape.part.node] if "${" in ctx.text else []
    while todo:
        node = todo.pop()
        if isinstance(node, Sequence):
            todo += node.items
        elif isinstance(node, Mapping):
            for entry in node.entries:
                todo.append(entry.value)
                if not entry.synthetic and not node.synthetic and holds_param(entry.key):
                    message = "A parameter cannot stand in a key. Put it into the value, or write the key out."
                    yield finding("OML316", entry.key.span, message)


def values_fit_in(ctx: StepContext) -> Iterator[Diagnostic]:
    """Values that have no safe form where their parameter stands, under the chosen parameters and every profile."""
    if not ctx.shape.param_names:
        return
    told: set[tuple[Scalar, Span, str]] = set()
    outside = {held.scalar: None for held in ctx.shape.placeholders if held.key in DECIDED}
    configs = ((None, ctx.resolved), *ctx.variants)
    for (profile, resolved), (_, values) in zip(configs, ctx.every_scope(), strict=True):
        elsewhere = [(scalar, found) for scalar in outside for found in substitute_text(scalar.text, values).problems]
        for scalar, problem in (*elsewhere, *resolved.problems):
            if (scalar, problem.span, problem.kind) not in told:
                told.add((scalar, problem.span, problem.kind))
                yield _misplaced(ctx, scalar, problem, profile)


def _misplaced(ctx: StepContext, scalar: Scalar, problem: SubstitutionProblem, profile: str | None) -> Diagnostic:
    span = ctx.source(scalar, *problem.span)
    suffix = f" (With the profile `{profile}`.)" if profile else ""
    code = {"unquoted": "OML407", "shape": "OML315"}.get(problem.kind, "OML409")
    fix = None
    if problem.kind == "unquoted" and not scalar.synthetic and problem.span != (0, len(scalar.text)):
        fix = _quote_in_sql(scalar, span)
    return finding(code, span, problem.message + suffix, fix)


def _quote_in_sql(scalar: Scalar, span: Span) -> Fix:
    quote = "''" if scalar.style is Style.SINGLE else "'"
    edits = (TextEdit(Span(span.start, span.start), quote), TextEdit(Span(span.end, span.end), quote))
    return Fix("Put quotes around it", edits, preferred=True)


def unused(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Declared parameters that no step refers to."""
    params = ctx.pipeline.params
    if not params:
        return
    used: set[str] = set()
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        used.update(step.shape.param_names)
        used.update(report.meant_params)
        if not step.shape.part.intact:
            used.update(re.findall(r"params\.([A-Za-z_][A-Za-z0-9_-]*)", step.shape.part.text))
    item = ctx.pipeline.entry("params")
    if item is None or not isinstance(item.entry.value, Mapping):
        return
    if any(not s.part.intact for s in ctx.pipeline.top if s.entry.key.text == "steps"):
        return
    for name, param in params.items():
        if name in used or not param.sound or not is_param_name(name):
            continue
        entry = item.entry.value.entry(name)
        set_elsewhere = any(name in profile.values for profile in ctx.pipeline.profiles.values())
        edit = undeclare_param(ctx.text, ctx.pipeline, name) if entry and not set_elsewhere else None
        fix = Fix(f"Remove `{name}`", (edit,)) if edit else None
        yield finding("OML144", param.key, f"No step uses the parameter `{name}`.", fix, unnecessary=True)


def given(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Values and a profile that were chosen from outside."""
    params = ctx.pipeline.entry("params")
    place = params.key if params else Span(0, 0)
    for problem in ctx.values.problems:
        param = ctx.pipeline.params.get(problem.name)
        yield finding("OML142" if problem.known else "OML146", param.key if param else place, problem.message)
    profile = ctx.values.profile
    if profile is not None and profile not in ctx.pipeline.profiles:
        known = list(ctx.pipeline.profiles)
        near = nearest(profile, known)
        hint = f"Did you mean `{near}`?" if near else f"There is {listing(known)}." if known else "It declares none."
        item = ctx.pipeline.entry("profiles")
        yield finding("OML145", item.key if item else Span(0, 0), f"The pipeline has no profile `{profile}`. {hint}")
