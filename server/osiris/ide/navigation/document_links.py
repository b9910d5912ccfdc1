"""Links in a pipeline: the files of the project that its steps read and write, and its connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.ide.navigation.connection_places import alias_span
from osiris.language.connections import parse_reference
from osiris.language.project_file_names import CONNECTIONS_FILE
from osiris.language.symbols import step_names
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment
    from osiris.language.model import Step


@dataclass(frozen=True, slots=True)
class DocumentLink:
    """A link from ``span`` to a file. ``path`` is relative to the project root, ``place`` a 0-based line and column
    (code points) in that file."""

    span: Span
    path: str
    place: tuple[int, int] | None = None


def document_links(analysis: Analysis, env: Environment) -> tuple[DocumentLink, ...]:
    """The links of a document in the order of the file. Nothing outside the project, and no file that is not there,
    is linked to."""
    found: list[DocumentLink] = []
    for step in analysis.pipeline.steps:
        found += _files(analysis, env, step)
        found += _connections(analysis, env, step)
    return tuple(sorted(found, key=lambda link: link.span))


def _files(analysis: Analysis, env: Environment, step: Step) -> Iterator[DocumentLink]:
    """Files that a value of the step names, also with the help of a parameter or the folder of its connection."""
    spec, config = analysis.specs[step.index], step.config
    uses = analysis.paths[step.index] if step.index < len(analysis.paths) else ()
    if spec is None or config is None or not uses:
        return
    named = {node.span.start: node for key in spec.path_keys if isinstance(node := config.get(key), Scalar)}
    for use in uses:
        node = named.get(use.span.start)
        if node is not None and not node.synthetic and use.known and env.file_exists(use.path):
            yield DocumentLink(step.place(node.content), use.path)


def _connections(analysis: Analysis, env: Environment, step: Step) -> Iterator[DocumentLink]:
    connections = env.connections
    if connections is None:
        return
    for symbol in step_names(analysis, step.index).symbols:
        parsed = parse_reference(symbol.name) if symbol.kind == "connection" and not symbol.synthetic else None
        known = connections.get(*parsed) if parsed is not None else None
        if known is not None:
            start = alias_span(connections, known).start
            yield DocumentLink(step.place(symbol.span), CONNECTIONS_FILE, connections.document.lines.line_column(start))
