"""The analysis of each open document: made when first needed, kept while neither text nor surroundings change."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis, Analyzer
    from osiris.lsp.documents import OpenDocument
    from osiris.lsp.projects import Projects
    from osiris.syntax.document import PartCache


@dataclass(slots=True)
class _State:
    parts: PartCache
    analyzer: Analyzer
    key: tuple[Hashable, ...] = ()
    analysis: Analysis | None = field(default=None)


class Analyses:
    """Keeps what one version of a document can use of the one before: parsed parts and per-step results."""

    def __init__(self, projects: Projects) -> None:
        self._projects = projects
        self._states: dict[str, _State] = {}

    def of(self, document: OpenDocument) -> Analysis:
        """The analysis of the document's present text in its present surroundings."""
        from osiris.syntax.document import parse

        environment = self._projects.environment_of(document.path)
        state = self._states.get(document.uri) or self._new_state(document.uri)
        key = (document.version, id(environment), environment.version)
        if state.analysis is None or state.key != key:
            tree = state.analysis.document if state.analysis and state.key[:1] == key[:1] else None
            if tree is None:
                tree = parse(document.text, state.parts)
                document.share_lines(tree.lines)
            state.analysis = state.analyzer.analyse(tree, environment)
            state.key = key
        return state.analysis

    def _new_state(self, uri: str) -> _State:
        from osiris.components.registry import ComponentRegistry
        from osiris.language.analysis import Analyzer
        from osiris.syntax.document import PartCache

        state = self._states[uri] = _State(PartCache(), Analyzer(ComponentRegistry.builtin()))
        return state

    def forget(self, uri: str) -> None:
        """Drop everything about a document that was closed or opened anew."""
        self._states.pop(uri, None)
