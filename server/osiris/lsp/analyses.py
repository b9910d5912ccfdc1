"""The analysis of each open document: made when first needed, kept while neither text nor surroundings change."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osiris.core.check import Checker
    from osiris.language.analysis import Analysis
    from osiris.lsp.documents import OpenDocument
    from osiris.lsp.projects import Projects


@dataclass(slots=True)
class _State:
    checker: Checker
    key: Hashable
    analysis: Analysis


class Analyses:
    """One checker per document, which keeps what one version can use of the one before."""

    def __init__(self, projects: Projects) -> None:
        self._projects = projects
        self._states: dict[str, _State] = {}

    def of(self, document: OpenDocument) -> Analysis:
        """The analysis of the document's present text in its present surroundings."""
        from osiris.core.check import Checker

        environment = self._projects.environment_of(document.path)
        variables = self._projects.variables_of(document.path)
        state = self._states.get(document.uri)
        if state is None or state.checker.environment is not environment:
            state = None
        key = (document.version, environment.version, variables.version)
        if state is not None and state.key == key:
            return state.analysis
        checker = state.checker if state is not None else Checker(environment)
        analysis = checker.check(document.text, environ=variables.values)
        self._states[document.uri] = _State(checker, key, analysis)
        document.share_lines(analysis.document.lines)
        return analysis

    def forget(self, uri: str) -> None:
        """Drop everything about a document that was closed or opened anew."""
        self._states.pop(uri, None)
