"""Paths in a config: inside the project or where osiris.yaml allows, and what is read is there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from osiris.components.spec import CONNECTION_KEY
from osiris.language.connections import Connection, connection_of_step
from osiris.language.facts import PathUse
from osiris.language.findings import finding, replacement
from osiris.language.model import first_line
from osiris.language.project_file_names import is_own_file
from osiris.language.rules.config import locate
from osiris.language.rules.context import DocumentContext, StepContext
from osiris.language.substitution import ResolvedConfig
from osiris.language.suggest import nearest
from osiris.syntax.diagnostic import Diagnostic, Fix
from osiris.syntax.text import Span

_DRIVE = re.compile(r"[A-Za-z]:")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SIMPLE_NAME = re.compile(r"[\w.-]+")
_PATTERN = re.compile(r"[*?\[]")
_ABSOLUTE = "is absolute"
_OUT = "leads out of the project"


def path_problem(path: str) -> str | None:
    """Why a path leaves the project, as the end of a sentence; None when it stays inside."""
    plain = path.replace("\\", "/")
    if _URL.match(path):
        return "is an address on the network"
    if plain.startswith("/") or _DRIVE.match(path):
        return _ABSOLUTE
    if plain.startswith("~"):
        return "starts in a home folder"
    if "\0" in path:
        return "holds a NUL character"
    normal = posixpath.normpath(plain)
    return _OUT if normal == ".." or normal.startswith("../") else None


def inside_project(ctx: StepContext) -> Iterator[Diagnostic]:
    """What a step says stays inside the project, or the folder of its connection, under every profile.

    What the connection itself says may lie anywhere: its file belongs to whoever runs the pipeline. osiris.yaml may
    allow more folders.
    """
    if ctx.spec is None or not ctx.spec.path_keys:
        return
    told: set[str] = set()
    cases: list[tuple[str, ResolvedConfig]] = [("", ctx.resolved)]
    cases += ((f" (with the profile `{profile}`)", resolved) for profile, resolved in ctx.variants)
    keys = [*ctx.spec.path_keys, *([ctx.spec.path_base_key] if ctx.spec.path_base_key else [])]
    for suffix, resolved in cases:
        for key in keys:
            value = resolved.config.get(key)
            if not isinstance(value, str) or (key,) in resolved.open or key in told:
                continue
            problem = _problem(ctx, value, None if key == ctx.spec.path_base_key else _base(ctx, resolved))
            if problem:
                told.add(key)
                message = (
                    f"`{value}` {problem}{suffix}. A pipeline reads and writes inside its project only: give a path "
                    "relative to the project folder, name the folder in a connection, or allow it in osiris.yaml: "
                    "`paths: {allow: [folder]}`."
                )
                yield finding("OML505", _place(ctx, key), message)


@dataclass(frozen=True, slots=True)
class _Base:
    """The folder that a relative path starts from: where it is, and whether the connection says so."""

    folder: str
    trusted: bool


_UNKNOWN = _Base("${unknown}", trusted=True)


def _problem(ctx: StepContext, path: str, base: _Base | None) -> str | None:
    """Why a path leaves the project, the trusted folder that it starts from, and what osiris.yaml allows."""
    if base is not None and not (_URL.match(path) or path.startswith("~") or "\0" in path):
        path = _join(base.folder, path)
        if base.trusted and (_is_within(path, base.folder) or "${" in base.folder):
            return None
    return None if _is_allowed(ctx, path) else path_problem(path)


def _is_allowed(ctx: StepContext, path: str) -> bool:
    """Whether osiris.yaml allows a path that leaves the project."""
    return path_problem(path) in (_ABSOLUTE, _OUT) and ctx.env.is_allowed(path)


def _join(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder.replace("\\", "/"), path.replace("\\", "/")))


def _is_within(path: str, folder: str) -> bool:
    home = posixpath.normpath(folder.replace("\\", "/"))
    return path == home or path.startswith(f"{home}/")


def _base(ctx: StepContext, resolved: ResolvedConfig) -> _Base | None:
    """The folder from the step, else from its connection; None for the project itself."""
    key = ctx.spec.path_base_key if ctx.spec else None
    if key is None:
        return None
    if key in resolved.config:
        value = resolved.config[key]
        known = isinstance(value, str) and (key,) not in resolved.open
        return _Base(str(value), False) if known else _UNKNOWN
    connection = _connection(ctx, resolved)
    if connection is None and CONNECTION_KEY in resolved.config:
        return _UNKNOWN
    value = connection.fields.get(key) if connection else None
    return _Base(value, True) if isinstance(value, str) and value else None


def _connection(ctx: StepContext, resolved: ResolvedConfig) -> Connection | None:
    reference = resolved.config.get(CONNECTION_KEY)
    if ctx.spec is None or not isinstance(reference, str | None):
        return None
    found = connection_of_step(ctx.spec, reference, resolved.config, ctx.env.connections)
    return found if isinstance(found, Connection) else None


def _place(ctx: StepContext, key: str) -> Span:
    entry, node = locate(ctx.shape.config, (key,))
    if node is not None and node.span.end > node.span.start:
        return first_line(ctx.text, node.span)
    if entry is not None:
        return entry.key.span
    return ctx.shape.component_node.span if ctx.shape.component_node else ctx.shape.span


def path_uses(ctx: StepContext) -> Iterator[PathUse]:
    """The files that the step certainly reads or writes; values of the run are left out."""
    if ctx.spec is None:
        return
    for key, direction in ctx.spec.path_keys.items():
        value, base, span = ctx.resolved.config.get(key), _base(ctx, ctx.resolved), _place(ctx, key)
        if key not in ctx.resolved.config and key in ctx.spec.connection_fields:
            connection = _connection(ctx, ctx.resolved)
            value, base = (connection.fields.get(key), None) if connection else (None, None)
            span = _place(ctx, CONNECTION_KEY)
        if not isinstance(value, str) or not value or (key,) in ctx.resolved.open:
            continue
        pattern = _PATTERN.search(value) is not None
        if pattern and (direction == "output" or key in ctx.spec.connection_fields):
            continue  # one file, as it is written
        if _URL.match(value):
            continue  # no file at all, and it may hold a password
        path = _join(base.folder, value) if base else posixpath.normpath(value.replace("\\", "/"))
        known = "${" not in path and path_problem(path) is None
        trusted = base is not None and base.trusted and base is not _UNKNOWN
        if known or trusted or ("${" not in path and _is_allowed(ctx, path)):
            whole = key not in ctx.spec.connection_fields  # a connection names a store, of which steps use parts
            own = key in ctx.resolved.config and not (base is not None and base.trusted)
            yield PathUse(path, span, direction == "input", known, whole, own, pattern)


def own_files(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """No step writes what the project itself is made of."""
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        for use in report.paths:
            if not use.is_input and is_own_file(use.path):
                message = f"`{use.path}` is a file of the project itself: no step writes it. Write to another path."
                yield finding("OML509", step.place(use.span), message)


def links_stay_inside(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """No link in the project takes a step to where it may not go."""
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        for use in report.paths:
            if use.known and use.own and not use.pattern and ctx.env.links_outside(use.path):
                message = (
                    f"A link takes `{use.path}` out of the project. A pipeline reads and writes inside its project "
                    "only: allow the folder behind the link in osiris.yaml (`paths: {allow: [folder]}`), or name it in "
                    "a connection."
                )
                yield finding("OML505", step.place(use.span), message)


def inputs_exist(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """A file that a step reads is there, unless the pipeline itself writes it."""
    written = {use.path for report in ctx.reports for use in report.paths if not use.is_input}
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        for use in report.paths:
            if use.pattern or use.path in written:
                continue
            if use.is_input and use.known and ctx.env.file_exists(use.path) is False:
                message = f"The project has no file `{use.path}` yet. A run needs it."
                near = _near_file(ctx, use.path)
                hint = f" Did you mean `{near}`?" if near else ""
                yield finding(
                    "OML330", step.place(use.span), message + hint, _named(ctx, step.place(use.span), use, near)
                )


def patterns_fit(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """A pattern stands for at least one file, unless a step of the pipeline writes below its folder."""
    written = [use.path for report in ctx.reports for use in report.paths if not use.is_input]
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        for use in report.paths:
            if not use.pattern or not use.known or ctx.env.files_exist(use.path) is not False:
                continue
            place = step.place(use.span)
            if "${" in ctx.text[place.start : place.end]:
                continue  # another value may mean other files
            folder = use.path[: _PATTERN.search(use.path).start()].rpartition("/")[0]  # type: ignore[union-attr]
            if not any(path.startswith(f"{folder}/" if folder else "") for path in written):
                message = f"No file of the project fits `{use.path}` yet. A run needs one."
                yield finding("OML330", place, message)


def _near_file(ctx: DocumentContext, path: str) -> str | None:
    """The file of the same folder whose name is close."""
    folder, name = posixpath.split(path)
    near = nearest(name, [entry.name for entry in ctx.env.list_folder(folder) or () if not entry.is_folder])
    return posixpath.join(folder, near) if near else None


def _named(ctx: DocumentContext, span: Span, use: PathUse, near: str | None) -> Fix | None:
    """The other name in the place of this one, where the value says it as it is."""
    written, name = ctx.text[span.start : span.end], posixpath.basename(use.path)
    at = written.rfind(name)
    if (
        near is None
        or at < 0
        or written[at + len(name) :] not in ("", "'", '"')
        or ctx.text.startswith("*", span.start)
    ):
        return None
    better = posixpath.basename(near)
    if not _SIMPLE_NAME.fullmatch(better):
        return None
    place = Span(span.start + at, span.start + at + len(name))
    return replacement(f"Replace by `{near}`", place, better)
