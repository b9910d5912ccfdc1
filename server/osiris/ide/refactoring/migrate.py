"""Migrating a whole document from the older format: keys, modes and what has no place any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from osiris.ide.fixes.quick_fixes import fix_all
from osiris.ide.refactoring.catalogue import REWRITE, Asked, Refactoring
from osiris.language.analysis import Analysis, Analyzer
from osiris.language.environment import Environment
from osiris.language.model import LEGACY_MODES
from osiris.syntax.diagnostic import Diagnostic, TextEdit
from osiris.syntax.document import parse

_LEGACY_KEY = "OML109"
_MODE = "OML125"


def rewrite(asked: Asked) -> Iterator[Refactoring]:
    """The migration, anywhere in a document with legacy keys."""
    analysis = asked.analysis
    if any(found.code == _LEGACY_KEY for found in analysis.diagnostics):
        title = "Migrate the pipeline to OML 0.1.0"
        yield Refactoring(REWRITE, title, lambda: migrate(analysis, asked.environment))


class _Legacy:
    """The findings of an analysis that the older format explains, each with the fix that loses nothing."""

    def __init__(self, analysis: Analysis) -> None:
        self.diagnostics = tuple(found for one in analysis.diagnostics if (found := _chosen(analysis, one)))


def _chosen(analysis: Analysis, found: Diagnostic) -> Diagnostic | None:
    if found.code == _MODE:
        written = analysis.document.text[found.span.start : found.span.end].strip("\"'")
        return found if written in LEGACY_MODES else None
    if found.code != _LEGACY_KEY or not found.fixes:
        return None
    # What is gone from the language is kept under a name of the author's own, and never thrown away.
    fix = next((fix for fix in found.fixes if fix.preferred or "`x-" in fix.title), None)
    if fix is None:
        return None
    return Diagnostic(found.code, found.span, found.message, found.severity, (replace(fix, preferred=True),))


def migrate(analysis: Analysis, environment: Environment) -> tuple[TextEdit, ...]:
    """The edits of the whole migration: what a key brings to light once it is migrated is migrated as well."""
    text, analyzer = analysis.document.text, Analyzer(environment.registry)
    found = fix_all(_Legacy(analysis), text, lambda changed: _Legacy(analyzer.analyse(parse(changed), environment)))
    return found.edits if found is not None else ()
