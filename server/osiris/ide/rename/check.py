"""What every rename shares: its refusal, how a new name is written, and the proof that nothing else changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.language.edits import applied, quoted, scalar_text
from osiris.syntax.diagnostic import Diagnostic, Severity, TextEdit
from osiris.syntax.document import PartCache, parse
from osiris.syntax.tree import Style

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment
    from osiris.syntax.text import Span
    from osiris.syntax.tree import Plain


class RenameRefused(Exception):  # noqa: N818 (nothing went wrong: the answer is no)
    """Why something cannot be renamed, for the user. ``bad_name``: another new name may do."""

    def __init__(self, message: str, *, bad_name: bool = False) -> None:
        super().__init__(message)
        self.bad_name = bad_name


@dataclass(frozen=True, slots=True)
class Renamable:
    """What a rename at the cursor would rename. ``name``: what it is called now, to start typing from."""

    span: Span
    name: str


def spelled(name: str, style: Style | None) -> str:
    """A name as it is written in a scalar of this style (None: inside a longer text); a plain one may need quotes."""
    if style is Style.PLAIN:
        return scalar_text(name)
    if style is Style.SINGLE:
        return name.replace("'", "''")
    return quoted(name)[1:-1] if style is Style.DOUBLE else name


def check_meaning(
    before: Analysis, env: Environment, edits: Iterable[TextEdit], renamed_params: Mapping[str, str] | None = None
) -> None:
    """Make sure that the pipeline means after the edits what it meant before: the same graph, and no new findings.

    ``env`` are the surroundings after the rename, ``renamed_params`` maps old to new names of parameters. Raises
    RenameRefused with what would go wrong: names may also be put together from parameters, or come from YAML anchors
    elsewhere in the file, where no rename finds them.
    """
    from osiris.language.analysis import Analyzer

    names = renamed_params or {}
    given: dict[str, Plain] = {
        names.get(name, name): value.value
        for name, value in before.values.values.items()
        if value.source in ("given", "environment")
    }
    document = parse(applied(before.document.text, edits), PartCache(before.document.records))
    after = Analyzer(env.registry, before).analyse(document, env, profile=before.values.profile, params=given)
    known = Counter(d.code for d in before.diagnostics if _counts(d))
    for found in after.diagnostics:
        if not _counts(found):
            continue
        known[found.code] -= 1
        if known[found.code] < 0:
            raise RenameRefused(f"After this rename the pipeline would no longer be the same: {found.message}")
    if _flow(before) != _flow(after):
        raise RenameRefused("This rename would change which steps wait for each other, or whose data they get.")


def _counts(finding: Diagnostic) -> bool:
    return finding.severity in (Severity.ERROR, Severity.WARNING)


def _flow(analysis: Analysis) -> tuple[object, ...]:
    graph = analysis.graph
    tables = [tuple(names.values()) for names in graph.data_inputs]
    return graph.order, graph.upstream, graph.data, tables
