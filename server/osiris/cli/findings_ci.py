"""Findings as CI services read them: GitHub's workflow commands and GitLab's code quality report."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from osiris.cli.streams import write_json
from osiris.core.secrets_masking import mask_secrets
from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import Diagnostic, Severity

if TYPE_CHECKING:
    from osiris.core.checked_files import CheckedFile

# Where the repository stands while GitHub Actions or GitLab CI works on it.
_REPOSITORY = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
_GITHUB_LEVELS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "notice",
    Severity.HINT: "notice",
}
_GITLAB_LEVELS = {
    Severity.ERROR: "major",
    Severity.WARNING: "minor",
    Severity.INFORMATION: "info",
    Severity.HINT: "info",
}


def repository_path(name: str) -> str:
    """A file's name as the service knows it: from the root of the repository, also when a job works in a folder of it.

    ``name`` is relative to the working folder, or absolute. Elsewhere than in CI it stays as it is.
    """
    for variable in _REPOSITORY:
        root = os.environ.get(variable)
        if root:
            path, base = os.path.realpath(name), os.path.realpath(root)
            if path.startswith(base + os.sep):
                return Path(os.path.relpath(path, base)).as_posix()
    return name


def fingerprints(file: CheckedFile) -> list[str]:
    """For each finding a hash that stays while lines move: of its file, code and line, and of which such one it is."""
    path = repository_path(file.name)
    seen: Counter[tuple[str, str]] = Counter()
    found: list[str] = []
    for finding in file.diagnostics:
        key = (finding.code, _context(file, finding))
        seen[key] += 1
        text = "\0".join((path, *key, str(seen[key])))
        found.append(hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest())
    return found


def _context(file: CheckedFile, finding: Diagnostic) -> str:
    """The line of a finding without what surrounds it in blanks, and without secrets, which a hash would give away."""
    line = file.lines.line_span(file.lines.line_of(finding.span.start), file.text)
    text = file.text[line.start : line.end]
    if finding.code.startswith("OML5"):
        text = file.text[line.start : finding.span.start] + "***" + file.text[finding.span.end : line.end]
    return mask_secrets(text.strip())


def print_github(files: Sequence[CheckedFile]) -> None:
    """One workflow command for each finding: an annotation at its lines."""
    for file in files:
        name = repository_path(file.name)
        for finding in file.diagnostics:
            line, column = file.lines.line_column(finding.span.start)
            end_line, end_column = file.lines.line_column(finding.span.end)
            place = f"file={_property(name)},line={line + 1},endLine={end_line + 1}"
            if end_line == line:  # GitHub takes columns of one line only
                place += f",col={column + 1},endColumn={end_column + 1}"
            title = _property(f"{finding.code} {CODES[finding.code].title}")
            message = _data(mask_secrets(finding.message))
            click.echo(f"::{_GITHUB_LEVELS[finding.severity]} {place},title={title}::{message}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def print_gitlab(files: Sequence[CheckedFile]) -> None:
    """A code quality report, to be kept as the job's ``codequality`` artifact."""
    report = []
    for file in files:
        path = repository_path(file.name)
        for finding, fingerprint in zip(file.diagnostics, fingerprints(file), strict=True):
            first, last = file.lines.line_of(finding.span.start), file.lines.line_of(finding.span.end)
            report.append(
                {
                    "description": mask_secrets(finding.message),
                    "check_name": finding.code,
                    "fingerprint": fingerprint,
                    "severity": _GITLAB_LEVELS[finding.severity],
                    "location": {"path": path, "lines": {"begin": first + 1, "end": last + 1}},
                }
            )
    write_json(report)
