"""Findings of several files, printed as text for people or as JSON; the layouts of CI services stand beside."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import click

from osiris.cli.source_view import plain_line, source_lines
from osiris.cli.streams import colour_wanted, paint, write_json
from osiris.core.checked_files import SEVERITY_NAMES, CheckedFile, findings_as_data
from osiris.core.secrets_masking import mask_secrets
from osiris.syntax.diagnostic import Diagnostic, Severity


def print_findings(files: Sequence[CheckedFile], layout: str) -> None:
    """Print the findings of ``files`` on standard output; ``layout`` is text, json, sarif, github or gitlab."""
    if layout in _PRINTERS:
        _PRINTERS[layout](files)
    elif layout == "sarif":
        from osiris.cli.findings_sarif import sarif_log

        write_json(sarif_log(files))
    else:
        from osiris.cli.findings_ci import print_github, print_gitlab

        (print_github if layout == "github" else print_gitlab)(files)


# -- text ------------------------------------------------------------------------------------------------------------


def _print_text(files: Sequence[CheckedFile]) -> None:
    colour = colour_wanted(sys.stdout)
    for file in files:
        for finding in file.diagnostics:
            for line in finding_lines(file, finding, colour=colour):
                click.echo(line)
    click.echo(summary(files))
    unread = sorted(set().union(*(file.unread for file in files)))
    if unread:
        shown, more = ", ".join(unread[:3]), f" and {len(unread) - 3} more" if len(unread) > 3 else ""
        click.echo(
            f"Tables of {shown}{more} were not checked: nothing is known of them yet. Run `osiris discover`.", err=True
        )


def finding_lines(file: CheckedFile, finding: Diagnostic, *, colour: bool = False) -> list[str]:
    """One finding as lines: place and message, the source line, a caret, and the first fix where there is one."""
    line, column = file.lines.line_column(finding.span.start)
    name = SEVERITY_NAMES[finding.severity]
    place = paint(f"{file.name}:{line + 1}:{column + 1}:", "strong", on=colour)
    message = plain_line(mask_secrets(finding.message))
    result = [f"{place} {paint(name, name, on=colour)} {finding.code} {message}"]
    shown, carets = source_lines(file.text, file.lines, finding, alone=_beside_values(file, finding))
    if shown.strip():
        result += [shown, paint(carets, name, on=colour)]
    if finding.fixes:
        result.append(f"    {paint('fix:', 'good', on=colour)} {plain_line(finding.fixes[0].title)}")
    return result


def _beside_values(file: CheckedFile, finding: Diagnostic) -> bool:
    """Whether values of connections may stand in the line: under a misspelt name nothing tells a secret."""
    return file.is_settings and finding.code.startswith(("OML3", "OML5"))


def summary(files: Sequence[CheckedFile]) -> str:
    """How many files were checked and what was found, in one line."""
    settings = [file.name for file in files if file.is_settings]
    checked = " and ".join([_count(len(files) - len(settings), "file"), *settings])
    found = [
        _count(number, word)
        for severity, word in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"))
        if (number := _number_of(files, severity))
    ]
    if rest := _number_of(files, Severity.INFORMATION) + _number_of(files, Severity.HINT):
        found.append(_count(rest, "hint"))
    return f"{checked} checked: {', '.join(found) if found else 'nothing wrong'}."


def _number_of(files: Sequence[CheckedFile], severity: Severity) -> int:
    return sum(1 for file in files for finding in file.diagnostics if finding.severity is severity)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


# -- json ------------------------------------------------------------------------------------------------------------


def _print_json(files: Sequence[CheckedFile]) -> None:
    write_json(findings_as_data(files))


_PRINTERS: dict[str, Callable[[Sequence[CheckedFile]], None]] = {"text": _print_text, "json": _print_json}
