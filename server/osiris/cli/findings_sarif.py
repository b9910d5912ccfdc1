"""Findings as a SARIF 2.1.0 log (OASIS standard), for code scanning services and viewers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from osiris import __version__
from osiris.cli.arguments import shown_path
from osiris.cli.findings_ci import fingerprints, repository_path
from osiris.core.checked_files import CheckedFile, fixed_file
from osiris.core.secrets_masking import mask_secrets
from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import Diagnostic, Fix, Severity
from osiris.syntax.text import LineIndex, Span

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "SRCROOT"
_LEVELS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "note",
    Severity.HINT: "note",
}


def sarif_log(files: Sequence[CheckedFile]) -> dict[str, Any]:
    """The log of one check. It names no folder of this machine: paths count from the root of the repository."""
    used = sorted({finding.code for file in files for finding in file.diagnostics})
    rules = {code: index for index, code in enumerate(used)}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "osiris",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(code) for code in used],
                    }
                },
                "invocations": [{"executionSuccessful": True}],
                "columnKind": "unicodeCodePoints",
                "newlineSequences": ["\r\n", "\n", "\r"],
                "originalUriBaseIds": {
                    _ROOT: {"description": {"text": "The root of the repository, or the folder that was checked."}}
                },
                "artifacts": [{"location": _location(file.name), "sourceLanguage": "yaml"} for file in files],
                "results": [result for index, file in enumerate(files) for result in _results(file, index, rules)],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    known = CODES[code]
    example = f"\n\n```yaml\n{known.example.strip()}\n```" if known.example else ""
    return {
        "id": code,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.explanation},
        "help": {"text": known.explanation, "markdown": mask_secrets(f"{known.explanation}{example}")},
        "defaultConfiguration": {"level": _LEVELS[known.severity]},
    }


def _results(file: CheckedFile, artifact: int, rules: dict[str, int]) -> list[dict[str, Any]]:
    results = []
    for finding, fingerprint in zip(file.diagnostics, fingerprints(file), strict=True):
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "ruleIndex": rules[finding.code],
            "level": _LEVELS[finding.severity],
            "message": {"text": mask_secrets(finding.message)},
            "locations": [{"physicalLocation": _place(file, finding.span, artifact)}],
            "partialFingerprints": {"osirisFinding/v1": fingerprint},
        }
        if finding.related:
            result["relatedLocations"] = _related(file, finding, artifact)
        if finding.fixes:
            result["fixes"] = [_fix(file, fix) for fix in finding.fixes]
        results.append(result)
    return results


def _related(file: CheckedFile, finding: Diagnostic, artifact: int) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "physicalLocation": _place(file, related.span, artifact),
            "message": {"text": mask_secrets(related.message)},
        }
        for number, related in enumerate(finding.related, start=1)
    ]


def _fix(file: CheckedFile, fix: Fix) -> dict[str, Any]:
    name, _, lines = fixed_file(file, fix)
    if fix.path is not None:
        name = shown_path(file.root / fix.path)
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {
                "artifactLocation": _location(name),
                "replacements": [
                    {
                        "deletedRegion": _region(lines, edit.span),
                        "insertedContent": {"text": mask_secrets(edit.new_text)},
                    }
                    for edit in fix.edits
                ],
            }
        ],
    }


def _place(file: CheckedFile, span: Span, artifact: int) -> dict[str, Any]:
    return {
        "artifactLocation": {**_location(file.name), "index": artifact},
        "region": _region(file.lines, span),
    }


def _region(lines: LineIndex, span: Span) -> dict[str, int]:
    """A range in 1-based lines and code points; the end column is the one behind it."""
    line, column = lines.line_column(span.start)
    end_line, end_column = lines.line_column(span.end)
    return {
        "startLine": line + 1,
        "startColumn": column + 1,
        "endLine": end_line + 1,
        "endColumn": end_column + 1,
    }


def _location(name: str) -> dict[str, str]:
    path = Path(repository_path(name))
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": _ROOT}
