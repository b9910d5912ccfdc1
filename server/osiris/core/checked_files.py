"""What was found in files, and the same as plain data: as ``osiris validate --format json`` and MCP tell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.secrets_masking import mask_secrets
from osiris.syntax.diagnostic import Diagnostic, Fix, Severity
from osiris.syntax.text import LineIndex, Span

if TYPE_CHECKING:
    from osiris.core.project import Project

SEVERITY_NAMES = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "information",
    Severity.HINT: "hint",
}
Naming = Callable[[Path], str]


@dataclass(frozen=True)
class CheckedFile:
    """One checked file: its name as the user knows it, its text, what was found, and the root that fixes refer to.

    ``is_settings``: it is none of the pipelines, and stands here for what was found in it. ``unread``: the connections
    whose tables it names, and of which nothing is known.
    """

    name: str
    text: str
    lines: LineIndex
    diagnostics: tuple[Diagnostic, ...]
    root: Path
    is_settings: bool = False
    unread: frozenset[str] = frozenset()

    @property
    def has_errors(self) -> bool:
        """Whether one of the findings is an error."""
        return any(finding.severity is Severity.ERROR for finding in self.diagnostics)


def checked_settings(project: Project, name_of: Naming) -> list[CheckedFile]:
    """The settings files of the project that something is wrong in."""
    from osiris.core.source import unreadable

    checked = []
    for file in project.settings_files():
        name = name_of(file.path)
        if file.problem is not None:
            finding = unreadable(file.path, file.problem)
            checked.append(CheckedFile(name, "", LineIndex(""), (finding,), project.root, is_settings=True))
        elif file.diagnostics:
            checked.append(
                CheckedFile(name, file.text, LineIndex(file.text), file.diagnostics, project.root, is_settings=True)
            )
    return checked


def findings_as_data(files: Sequence[CheckedFile]) -> list[dict[str, Any]]:
    """Every finding as plain data; positions are 0-based and in UTF-16 units, as in LSP."""
    return [
        {
            "file": file.name,
            "range": utf16_range(file.text, file.lines, finding.span),
            "severity": SEVERITY_NAMES[finding.severity],
            "code": finding.code,
            "message": mask_secrets(finding.message),
            "fixes": [_fix_as_data(file, fix) for fix in finding.fixes],
        }
        for file in files
        for finding in file.diagnostics
    ]


def _fix_as_data(file: CheckedFile, fix: Fix) -> dict[str, Any]:
    name, text, lines = fixed_file(file, fix)
    return {
        "title": fix.title,
        "preferred": fix.preferred,
        "edits": [
            {"file": name, "range": utf16_range(text, lines, edit.span), "newText": mask_secrets(edit.new_text)}
            for edit in fix.edits
        ],
    }


def fixed_file(file: CheckedFile, fix: Fix) -> tuple[str, str, LineIndex]:
    """The file that a fix edits: name, text and lines. A file that is not there yet is an empty one."""
    if fix.path is None:
        return file.name, file.text, file.lines
    try:
        text = (file.root / fix.path).read_bytes().decode("utf-8-sig", errors="replace")
    except OSError:
        text = ""
    return fix.path, text, LineIndex(text)


def utf16_position(text: str, lines: LineIndex, offset: int) -> dict[str, int]:
    """The 0-based line and UTF-16 character of ``offset``, as in LSP."""
    line, column = lines.line_column(offset)
    start = lines.starts[line]
    astral = sum(1 for char in text[start : start + column] if ord(char) > 0xFFFF)
    return {"line": line, "character": column + astral}


def utf16_range(text: str, lines: LineIndex, span: Span) -> dict[str, dict[str, int]]:
    """``span`` as an LSP range."""
    return {"start": utf16_position(text, lines, span.start), "end": utf16_position(text, lines, span.end)}
