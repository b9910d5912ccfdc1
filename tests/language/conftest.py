"""``check`` compares the findings of a document with those marked in its text; ``mend`` applies a fix.

A mark is ``«OML122 ../x»``: the code, a space and the text that the finding covers. ``«OML201»`` marks an empty range,
``«OML201+OML121 x»`` two findings on one range. Marks may stand in one another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest

from osiris.components.registry import ComponentRegistry
from osiris.language.analysis import Analysis, analyse
from osiris.language.connections import Connections, parse_connections
from osiris.language.environment import StaticEnvironment
from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.text import LineIndex

_MARK = re.compile(r"«(?P<codes>OML\d+(?:\+OML\d+)*) ?|»")

Found = tuple[int, int, str]


def unmark(marked: str) -> tuple[str, list[Found]]:
    """The text without its marks, and what is marked in it as (start, end, code), sorted."""
    text, at, stack, found = "", 0, [], []
    for match in _MARK.finditer(marked):
        text += marked[at : match.start()]
        at = match.end()
        if match["codes"]:
            stack.append((len(text), match["codes"].split("+")))
        else:
            start, codes = stack.pop()
            found += [(start, len(text), code) for code in codes]
    assert not stack, "a mark is not closed"
    return text + marked[at:], sorted(found)


def shown(text: str, findings: Sequence[Found]) -> list[str]:
    """``line:column code 'text'`` of each finding, both from 1."""
    lines = LineIndex(text)
    places = [(lines.line_column(start), code, text[start:end]) for start, end, code in findings]
    return [f"{line + 1}:{column + 1} {code} {covered!r}" for (line, column), code, covered in places]


@dataclass
class Checker:
    """Analyses marked documents in an environment that can be changed."""

    env: StaticEnvironment

    def analyse(self, text: str, **options: object) -> Analysis:
        return analyse(text, self.env, **options)  # type: ignore[arg-type]

    def __call__(self, marked: str, **options: object) -> Analysis:
        """Assert that the findings are exactly the marked ones."""
        text, expected = unmark(marked)
        analysis = self.analyse(text, **options)
        found = sorted((d.span.start, d.span.end, d.code) for d in analysis.diagnostics)
        assert shown(text, found) == shown(text, expected), "\n".join(d.message for d in analysis.diagnostics)
        return analysis

    def steps(self, marked: str, **options: object) -> Analysis:
        """The same for the lines of a list of steps, written without indentation."""
        body = "".join(f"  {line}\n" for line in marked.strip("\n").split("\n"))
        return self("oml_version: 0.1.0\nname: orders\nsteps:\n" + body, **options)


@pytest.fixture
def check() -> Checker:
    """Checks documents in a project without a connections file, about whose files nothing is known.

    The hint that a component cannot run yet is off: steps of such components stand here for what is checked in them.
    """
    return Checker(StaticEnvironment(severities={"OML129": None}))


@pytest.fixture
def connections() -> Callable[[str], Connections]:
    """The connections of a file's text, which has no findings of its own."""

    def read(text: str) -> Connections:
        found = parse_connections(text)
        assert not found.diagnostics
        return found

    return read


@pytest.fixture
def check_connections() -> Callable[[str], tuple[Diagnostic, ...]]:
    """Asserts that the findings of a connections file, compared with the built-in components, are the marked ones.

    That fields are missing counts only where it is marked somewhere: most examples show no more than they need.
    """

    def run(marked: str) -> tuple[Diagnostic, ...]:
        text, expected = unmark(marked)
        diagnostics = parse_connections(text, ComponentRegistry.builtin()).diagnostics
        if "OML335" not in marked:
            diagnostics = tuple(d for d in diagnostics if d.code != "OML335")
        assert shown(text, sorted((d.span.start, d.span.end, d.code) for d in diagnostics)) == shown(text, expected)
        return diagnostics

    return run


@pytest.fixture
def mend_connections() -> Callable[[str], str]:
    """The text of a connections file after the first fix of its first finding other than that fields are missing."""

    def run(text: str) -> str:
        found = parse_connections(text, ComponentRegistry.builtin()).diagnostics
        return apply(text, next(d for d in found if d.code != "OML335"))

    return run


def apply(text: str, diagnostic: Diagnostic, title: str | None = None) -> str:
    """``text`` after the first fix of a finding, or the one with this title."""
    fix = next(f for f in diagnostic.fixes if title in (None, f.title))
    edits = sorted(fix.edits, key=lambda e: e.span)
    assert all(a.span.end <= b.span.start for a, b in pairwise(edits))
    for edit in reversed(edits):
        text = text[: edit.span.start] + edit.new_text + text[edit.span.end :]
    return text


@pytest.fixture
def mend(check: Checker) -> Callable[..., str]:
    """The text after the first fix (or the one with this title) of its first finding with this code."""

    def run(text: str, code: str, title: str | None = None, **options: object) -> str:
        analysis = check.analyse(text, **options)
        return apply(text, next(d for d in analysis.diagnostics if d.code == code), title)

    return run


@pytest.fixture
def severities(check: Checker) -> Callable[[Mapping[str, Severity | None]], None]:
    """Sets what the project says about severities."""

    def put(chosen: Mapping[str, Severity | None]) -> None:
        check.env.severities = chosen

    return put
