"""Compile OML 0.1 into a deterministic manifest.

    manifest = compile_oml(text)                       # a text, a path, or parsed data; writes nothing
    result = compile_file("pipelines/daily.oml")       # writes build/<name>/manifest.json when something changed

What ``check_text`` finds wrong does not compile, and what it finds right does. Equal inputs give equal bytes on every
machine: the pipeline, the component specs, the choice of connections, the parameters, the compiler. The fingerprint
``oml`` covers what a pipeline means, not how it is typed: a comment, the order of keys or the line ends do not change
it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from osiris.core.check import check_text
from osiris.core.config_file import raise_first_error
from osiris.core.error_taxonomy import CompilationError, ValidationError
from osiris.core.files import is_inside, write_if_changed
from osiris.core.manifest import MANIFEST_NAME, Manifest, generate_fingerprint, manifest_bytes
from osiris.core.manifest_build import build_manifest
from osiris.core.oml_text import oml_text
from osiris.core.partial_analysis import findings_for, steps_up_to
from osiris.core.project import Project
from osiris.core.project_scan import OML_ENDINGS, YAML_ENDINGS
from osiris.core.source import read_source
from osiris.language.analysis import Analysis
from osiris.language.connections import Connection, Connections
from osiris.language.environment import Environment
from osiris.language.naming import file_name_problem
from osiris.language.project_file_names import CONNECTIONS_FILE
from osiris.language.step_database import step_database
from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.tree import Plain

__all__ = [
    "CompileResult",
    "compile_file",
    "compile_oml",
    "compile_text",
    "generate_fingerprint",
    "resolve_connections",
    "validate_schema",
]

BUILD_FOLDER = "build"

Source = str | Path | Mapping[str, Any]


@dataclass(frozen=True)
class CompileResult:
    """A compiled pipeline. ``path`` is where its manifest stands, None when none was written because parameters were
    given for this one time; ``cached`` says that it stood there already, with these very bytes."""

    manifest: Manifest
    path: Path | None
    cached: bool
    analysis: Analysis

    @property
    def data(self) -> bytes:
        """The bytes of the manifest file."""
        return manifest_bytes(self.manifest)


def compile_oml(
    oml: Source,
    *,
    project: Project | None = None,
    profile: str | None = None,
    params: Mapping[str, Plain] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Manifest:
    """The manifest of a pipeline; nothing is written.

    ``oml``: its text, its path (a Path, or a text of one line that ends like an OML or YAML file), or its parsed data.
    ``project`` (default: that of the path; none for a text) has the connections and settings. ``params`` and
    ``environ`` as in ``check_text``. Raises CompilationError with ``diagnostics`` when the pipeline has errors, and
    ConfigurationError when the file or the project's settings cannot be read, and ValidationError for anything else
    than these three.
    """
    text, path, found = _source(oml, project)
    try:
        return compile_text(text, path, project=found, profile=profile, params=params, environ=environ)[0]
    except CompilationError as error:
        if not isinstance(oml, Mapping) or not error.diagnostics:
            raise
        # Places in a text that nobody wrote help nobody.
        errors = [finding for finding in error.diagnostics if finding.severity == Severity.ERROR]
        raise CompilationError(errors[0].message, code=error.code, diagnostics=error.diagnostics) from None


def compile_text(
    text: str,
    path: Path | None = None,
    *,
    project: Project | None = None,
    profile: str | None = None,
    params: Mapping[str, Plain] | None = None,
    environ: Mapping[str, str] | None = None,
    step: str | None = None,
) -> tuple[Manifest, Analysis]:
    """The manifest of a text and the analysis it rests on; nothing is written. Raises as compile_oml does.

    With ``step`` the manifest of that step and what it waits for alone: errors in other steps do not count.
    """
    if project is not None:
        _check_settings(project, project.environment(path).connections)
    analysis = check_text(text, project, path, profile, params, environ)
    only = steps_up_to(analysis, step) if step is not None else None
    if project is not None:
        _check_connections(analysis, project.environment(path), only)
    findings = tuple(analysis.diagnostics) if only is None else findings_for(analysis, only)
    if any(finding.severity == Severity.ERROR for finding in findings):
        raise _not_compiled(analysis, findings, project, path)
    connections = project.environment(path).connections if project is not None else None
    on_failure = project.config.values.get("on_failure") if project is not None else None
    manifest = build_manifest(
        analysis, connections=connections, on_failure=str(on_failure or "continue"), profile=profile, only=only
    )
    return manifest, analysis


def compile_file(
    path: Path | str,
    *,
    profile: str | None = None,
    params: Mapping[str, Plain] | None = None,
    project: Project | None = None,
    environ: Mapping[str, str] | None = None,
    text: str | None = None,
) -> CompileResult:
    """Compile the pipeline in ``path`` into ``build/<name>[/<profile>]/manifest.json`` of its project.

    A manifest that stands there with the same bytes is left alone, down to its time. With ``params`` nothing is
    written: such a manifest belongs to one run. ``text`` is the file's text when the caller has it. Raises
    CompilationError with ``diagnostics``, ConfigurationError for what cannot be read, ExecutionError for a manifest
    that cannot be written.
    """
    path = Path(path)
    project = project or Project.find(path)
    source = read_source(path) if text is None else text
    manifest, analysis = compile_text(source, path, project=project, profile=profile, params=params, environ=environ)
    if params:
        return CompileResult(manifest, None, False, analysis)
    target = manifest_path(project.root, manifest["pipeline"]["name"], profile)
    written = write_if_changed(target, manifest_bytes(manifest))
    return CompileResult(manifest, target, not written, analysis)


def manifest_path(root: Path, name: str, profile: str | None) -> Path:
    """Where the manifest of a pipeline stands. Raises CompilationError for a name that would lead elsewhere."""
    folder = root / BUILD_FOLDER
    for what, part in (("name", name), ("profile", profile)):
        if part is None:
            continue
        problem = file_name_problem(part)
        if problem is not None:
            raise CompilationError(f"The {what} {part!r} cannot name a folder in build/: it {problem}.", code="OML110")
        folder = folder / part
    if not is_inside(folder, root):
        raise CompilationError(
            f"{folder} is a link that leads out of the project; nothing is written there.",
            hint="Replace the link by a folder.",
            code="OML601",
        )
    return folder / MANIFEST_NAME


def validate_schema(oml: Source, *, project: Project | None = None, profile: str | None = None) -> list[Diagnostic]:
    """Every finding about a pipeline (as compile_oml takes it), in the order of the text; empty when it is fine.

    Raises ConfigurationError when a file cannot be read, ValidationError as compile_oml does.
    """
    text, path, found = _source(oml, project)
    return list(check_text(text, found, path, profile).diagnostics)


def resolve_connections(oml: Source, *, project: Project | None = None, profile: str | None = None) -> dict[str, str]:
    """The connection of each step that uses one: step id to ``@family.alias``, defaults chosen.

    The values of a connection are not looked at; ``Config.connection(reference).resolve(env)`` does that when a
    pipeline runs. Raises as compile_oml does.
    """
    steps = compile_oml(oml, project=project, profile=profile)["steps"]
    return {step["id"]: step["connection"] for step in steps if "connection" in step}


def resolve_fields(connection: Connection, env: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a connection with ``${VAR}`` filled in from ``env``. Raises ConfigurationError (see resolve)."""
    from osiris.core.config import ConnectionConfig

    return ConnectionConfig.of(connection).resolve(env).fields


def _source(oml: Source, project: Project | None) -> tuple[str, Path | None, Project | None]:
    if isinstance(oml, Mapping):
        return oml_text(oml), None, project
    if isinstance(oml, str) and not _is_path(oml):
        return oml, None, project
    if not isinstance(oml, str | PathLike):
        raise ValidationError(
            f"A pipeline is given as its text, the path of its file or its parsed data, not as {_what(oml)}.",
            hint="Decode it first: data.decode()." if isinstance(oml, bytes | bytearray) else None,
        )
    path = Path(oml)
    return read_source(path), path, project or Project.find(path)


def _what(value: object) -> str:
    return "None" if value is None else f"a value of the type {type(value).__name__}"


def _is_path(text: str) -> bool:
    return "\n" not in text and ": " not in text and text.lower().endswith((*OML_ENDINGS, *YAML_ENDINGS))


def _check_settings(project: Project, connections: Connections | None) -> None:
    """Raise ConfigurationError for settings files that are broken: a manifest must not rest on half of one.

    What is wrong in one of ``connections`` alone does not count: whoever uses it is told.
    """
    for file in project.settings_files():
        if file.problem is not None:
            raise CompilationError(file.problem)
        errors = connections.file_errors if connections and file.path.name == CONNECTIONS_FILE else file.diagnostics
        raise_first_error(errors, file.text, str(file.path))


def _check_connections(analysis: Analysis, environment: Environment, only: Collection[int] | None) -> None:
    """Raise ConfigurationError for the first connection in use that has an error of its own."""
    from osiris.core.config import ConnectionConfig

    for step in range(len(analysis.pipeline.steps)) if only is None else sorted(only):
        database = step_database(analysis, step, environment)
        if database is not None:
            ConnectionConfig.of(database.connection).require_sound()


def _not_compiled(
    analysis: Analysis, findings: tuple[Diagnostic, ...], project: Project | None, path: Path | None
) -> CompilationError:
    errors = [finding for finding in findings if finding.severity == Severity.ERROR]
    line, column = analysis.document.lines.line_column(errors[0].span.start)
    name = "" if path is None else f"{project.relative(path) if project is not None else path}:"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    message = f"{name}{line + 1}:{column + 1}: {errors[0].message}{more}"
    return CompilationError(message, code=errors[0].code, diagnostics=findings)
