"""Every refactoring at every place of every example: the text that it makes can be read, and means the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fixing import applied, examined, example_environment

from osiris.core.manifest_build import build_manifest
from osiris.core.project import Project
from osiris.ide.refactoring.catalogue import refactorings
from osiris.language.analysis import Analysis, Analyzer
from osiris.language.environment import Environment
from osiris.syntax.code_examples import EXAMPLES
from osiris.syntax.diagnostic import Severity
from osiris.syntax.document import parse
from osiris.syntax.text import Span

EXAMPLE_FILES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))
PIPELINES = [text for text in EXAMPLES.values() if not text.startswith(("connections:", "# .env"))]

# The one refactoring that is there to change what a document says.
MIGRATION = "Migrate the pipeline to OML 0.1.0"


def errors(analysis: Analysis) -> Counter[str]:
    return Counter(found.code for found in analysis.diagnostics if found.severity is Severity.ERROR)


def manifest_steps(analysis: Analysis, environment: Environment) -> Any:
    return build_manifest(analysis, connections=environment.connections, on_failure="stop", profile=None)["steps"]


def check_everywhere(text: str, before: Analysis, environment: Environment, every: int) -> set[str]:
    """Choose everything that is offered at every so many places; returns the kinds of what was chosen."""
    analyzer, seen, kinds = Analyzer(environment.registry), set(), set()
    for offset in range(0, len(text) + 1, every):
        for one in refactorings(before, environment, Span(offset, offset), lambda _: True):
            edits = () if one.refused else one.edits()
            if not edits or edits in seen:
                continue
            seen.add(edits)
            kinds.add(one.kind)
            changed = applied(text, edits)
            after = analyzer.analyse(parse(changed), environment)
            assert errors(after) <= errors(before) or one.title == MIGRATION, (one.title, changed)
            if before.ok:
                assert manifest_steps(after, environment) == manifest_steps(before, environment), (one.title, changed)
    return kinds


@pytest.mark.parametrize("text", PIPELINES, ids=[code for code, text in EXAMPLES.items() if text in PIPELINES])
def test_in_the_examples_of_the_codes(text: str) -> None:
    check_everywhere(text, examined(text), example_environment(text), every=3)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda path: path.name)
def test_in_the_examples_that_people_open_first(path: Path, line_end: str) -> None:
    environment = Project.find(path).environment(path)
    text = path.read_text(encoding="utf-8").replace("\n", line_end)
    before = Analyzer(environment.registry).analyse(parse(text), environment)

    kinds = check_everywhere(text, before, environment, every=2)

    assert "refactor.extract" in kinds
