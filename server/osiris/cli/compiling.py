"""Compiles a file for ``compile`` and ``run``; when it does not compile, shows the findings instead."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.checking import check_file, readable_text
from osiris.cli.findings import finding_lines, summary
from osiris.cli.streams import colour_wanted, write_json
from osiris.core.checked_files import findings_as_data

if TYPE_CHECKING:
    from osiris.core.compiler_v0 import CompileResult
    from osiris.core.project import Project
    from osiris.syntax.diagnostic import Diagnostic


def compile_or_explain(
    path: Path,
    project: Project,
    *,
    profile: str | None,
    params: Mapping[str, Any],
    as_json: bool = False,
    write: bool = True,
    step: str | None = None,
) -> CompileResult | None:
    """The compiled pipeline; None when it has errors, which have been printed by then.

    ``write=False`` leaves ``build/`` as it is; then ``step`` may name the one step that counts, with all that it waits
    for. The findings are printed on standard error, or with ``as_json`` as an
    object on standard output. Raises OsirisError when the project's settings cannot be read or the manifest cannot be
    written.
    """
    text = readable_text(path)
    result = _compiled(path, text, project, profile, params, write, step) if isinstance(text, str) else ()
    if not isinstance(result, tuple):
        return result
    checked = check_file(path, project, profile, params)
    if step is not None and result:
        checked = replace(checked, diagnostics=result)
    if as_json:
        write_json({"ok": False, "diagnostics": findings_as_data([checked])})
        return None
    colour = colour_wanted(sys.stderr)
    for finding in checked.diagnostics:
        click.echo("\n".join(finding_lines(checked, finding, colour=colour)), err=True)
    click.echo(f"{summary([checked])} Nothing was compiled.", err=True)
    return None


def _compiled(
    path: Path,
    text: str,
    project: Project,
    profile: str | None,
    params: Mapping[str, Any],
    write: bool,
    step: str | None,
) -> CompileResult | tuple[Diagnostic, ...]:
    """The compiled pipeline, or what was found in what was to be compiled."""
    from osiris.core.compiler_v0 import CompileResult, compile_file, compile_text
    from osiris.core.error_taxonomy import CompilationError

    try:
        if write:
            return compile_file(path, profile=profile, params=params, project=project, text=text)
        manifest, analysis = compile_text(text, path, project=project, profile=profile, params=params, step=step)
        return CompileResult(manifest, None, False, analysis)
    except CompilationError as problem:
        if not problem.diagnostics:
            raise
        return tuple(problem.diagnostics)
