"""Paths in a config: inside the project, and what is read is there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from osiris.components.spec import CONNECTION_KEY
from osiris.language.connections import Connection, connection_of_step
from osiris.language.facts import PathUse
from osiris.language.findings import finding
from osiris.language.model import first_line
from osiris.language.rules.config import locate, relevant_variants
from osiris.language.rules.context import DocumentContext, StepContext
from osiris.language.substitution import ResolvedConfig, resolve_config
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.text import Span

_DRIVE = re.compile(r"[A-Za-z]:")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PATTERN = re.compile(r"[*?\[]")


def path_problem(path: str) -> str | None:
    """Why a path leaves the project, as the end of a sentence; None when it stays inside."""
    plain = path.replace("\\", "/")
    if _URL.match(path):
        return "is an address on the network"
    if plain.startswith("/") or _DRIVE.match(path):
        return "is absolute"
    if plain.startswith("~"):
        return "starts in a home folder"
    if "\0" in path:
        return "holds a NUL character"
    normal = posixpath.normpath(plain)
    return "leads out of the project" if normal == ".." or normal.startswith("../") else None


def inside_project(ctx: StepContext) -> Iterator[Diagnostic]:
    """Files that a step reads or writes stand inside the project, under every profile."""
    if ctx.spec is None or not ctx.spec.path_keys:
        return
    told: set[str] = set()
    cases: list[tuple[str, ResolvedConfig]] = [("", ctx.resolved)]
    for profile, values in relevant_variants(ctx):
        cases.append((f" (with the profile `{profile}`)", resolve_config(ctx.shape.config, ctx.spec, values)))
    keys = [*ctx.spec.path_keys, *([ctx.spec.path_base_key] if ctx.spec.path_base_key else [])]
    for suffix, resolved in cases:
        for key in keys:
            value = resolved.config.get(key)
            if not isinstance(value, str) or (key,) in resolved.open or key in told:
                continue
            path = _joined(ctx, key, value, resolved)
            problem = path_problem(path)
            if problem:
                told.add(key)
                message = (
                    f"`{path}` {problem}{suffix}. A pipeline reads and writes inside its project only: give a path "
                    "relative to the project folder."
                )
                yield finding("OML505", _place(ctx, key), message)


def _joined(ctx: StepContext, key: str, value: str, resolved: ResolvedConfig) -> str:
    """A relative path with the folder that it starts from, as far as that is known."""
    if (
        ctx.spec is None
        or key == ctx.spec.path_base_key
        or path_problem(value) not in (None, "leads out of the project")
    ):
        return value
    base = _base(ctx, resolved)
    return posixpath.join(base.replace("\\", "/"), value.replace("\\", "/")) if base else value


def _base(ctx: StepContext, resolved: ResolvedConfig) -> str | None:
    """The folder from the step or its connection; empty when it is the project, None when nobody can say."""
    key = ctx.spec.path_base_key if ctx.spec else None
    if key is None or ctx.spec is None:
        return ""
    if key in resolved.config:
        value = resolved.config[key]
        return value if isinstance(value, str) and (key,) not in resolved.open else None
    reference = resolved.config.get(CONNECTION_KEY)
    if reference is None:
        return ""
    if not isinstance(reference, str) or ctx.env.connections is None:
        return None
    found = connection_of_step(ctx.spec, reference, resolved.config, ctx.env.connections)
    value = found.fields.get(key, "") if isinstance(found, Connection) else None
    return value if isinstance(value, str) and "${" not in value else None


def _place(ctx: StepContext, key: str) -> Span:
    entry, node = locate(ctx.shape.config, (key,))
    if node is not None and node.span.end > node.span.start:
        return first_line(ctx.text, node.span)
    return entry.key.span if entry else ctx.shape.span


def path_uses(ctx: StepContext) -> Iterator[PathUse]:
    """The files that the step certainly reads or writes; patterns and values from the run are left out."""
    if ctx.spec is None:
        return
    for key, direction in ctx.spec.path_keys.items():
        value = ctx.resolved.config.get(key)
        if not isinstance(value, str) or not value or (key,) in ctx.resolved.open:
            continue
        base = _base(ctx, ctx.resolved)
        if base is None or _PATTERN.search(value):
            continue
        path = posixpath.join(base.replace("\\", "/"), value.replace("\\", "/"))
        if path_problem(path) is None:
            yield PathUse(posixpath.normpath(path), _place(ctx, key), direction == "input")


def inputs_exist(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """A file that a step reads is there, unless the pipeline itself writes it."""
    written = {use.path for report in ctx.reports for use in report.paths if not use.is_input}
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        for use in report.paths:
            if use.is_input and use.path not in written and ctx.env.file_exists(use.path) is False:
                message = f"The project has no file `{use.path}` yet. A run needs it."
                yield finding("OML330", step.place(use.span), message)
