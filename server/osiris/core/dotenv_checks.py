"""What is wrong with a `.env` file. No value ever gets into a message."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from osiris.core.dotenv import DotenvEntry, DotenvProblem, read_dotenv
from osiris.language.edits import line_end, line_start
from osiris.language.findings import finding, replacement
from osiris.language.naming import variable_name
from osiris.language.suggest import nearest
from osiris.syntax.diagnostic import Diagnostic, Fix, Related
from osiris.syntax.text import LineIndex, Span

_COLON = re.compile(r"[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*([ \t]*:[ \t]*)[^=]*$")
PARAM_PREFIX = "OSIRIS_PARAM_"


def dotenv_findings(text: str, params: Collection[str] | None = None) -> tuple[Diagnostic, ...]:
    """The findings in the text of a `.env` file, in order.

    ``params`` are the names of all parameters of the project's pipelines; None when nobody can say.
    """
    found = list(read_dotenv(text))
    entries = [item for item in found if isinstance(item, DotenvEntry)]
    diagnostics = [
        finding("OML337", item.span, item.message, _with_equals(text, item))
        for item in found
        if isinstance(item, DotenvProblem)
    ]
    diagnostics += _repeated(text, entries)
    if params is not None:
        diagnostics += _without_param(entries, params)
    return tuple(sorted(diagnostics, key=lambda d: (d.span, d.code)))


def _with_equals(text: str, problem: DotenvProblem) -> Fix | None:
    """``NAME: value`` is how YAML would say it."""
    start = line_start(text, problem.span.start)
    colon = _COLON.match(text, start, line_end(text, start))
    return replacement("Write `=`", Span(*colon.span(1)), "=", preferred=True) if colon else None


def _repeated(text: str, entries: list[DotenvEntry]) -> Iterator[Diagnostic]:
    last = {entry.name: entry for entry in entries}
    lines = LineIndex(text)
    for entry in entries:
        counts = last[entry.name]
        if counts is not entry:
            line = lines.line_of(counts.span.start) + 1
            message = f"{entry.name} is set again in line {line}, and the last line counts. Remove this one."
            related = [Related(counts.name_span, f"{entry.name} is set here as well; this one counts.")]
            fix = _remove(text, entry)
            yield finding("OML338", entry.name_span, message, fix, related=related, unnecessary=True)


def _remove(text: str, entry: DotenvEntry) -> Fix:
    start, end = line_start(text, entry.span.start), line_end(text, entry.span.end)
    end += 2 if text[end : end + 2] == "\r\n" else 1
    return replacement("Remove this line", Span(start, min(end, len(text))), "", preferred=True)


def _without_param(entries: list[DotenvEntry], params: Collection[str]) -> Iterator[Diagnostic]:
    known = {variable_name(name) for name in params}
    for entry in entries:
        if entry.name.startswith(PARAM_PREFIX) and entry.name not in known:
            near = nearest(entry.name, known)
            hint = f"Did you mean {near}?" if near else "Remove it, or declare the parameter in a pipeline."
            fix = replacement(f"Replace by {near}", entry.name_span, near) if near else None
            message = f"No pipeline of the project has a parameter that {entry.name} would give a value to. {hint}"
            yield finding("OML339", entry.name_span, message, fix)
