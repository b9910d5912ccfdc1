"""What can be rewritten at a place without a change of meaning. Each kind of rewriting has a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from osiris.language.analysis import Analysis
from osiris.language.environment import Environment
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span

EXTRACT = "refactor.extract"
INLINE = "refactor.inline"
REWRITE = "refactor.rewrite"


@dataclass(frozen=True, slots=True)
class Refactoring:
    """One rewriting: its kind as LSP names kinds, its title, and what makes its edits when it was chosen.

    ``refused`` says why it cannot be done at a place where one would expect it; then there are no edits.
    """

    kind: str
    title: str
    edits: Callable[[], tuple[TextEdit, ...]]
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Where rewritings are asked for: a cursor (an empty span) or a selection."""

    analysis: Analysis
    environment: Environment
    span: Span


Provider = Callable[[Asked], Iterator[Refactoring]]


def refactorings(
    analysis: Analysis, environment: Environment, span: Span, wanted: Callable[[str], bool]
) -> Iterator[Refactoring]:
    """The rewritings at ``span`` of the kinds that are ``wanted``. Offering is cheap; edits are made when chosen."""
    from osiris.ide.refactoring import extract, inline, migrate, order, scalars

    asked = Asked(analysis, environment, span)
    providers: tuple[tuple[str, Provider], ...] = (
        (EXTRACT, extract.extract),
        (INLINE, inline.inline),
        (REWRITE, scalars.rewrite),
        (REWRITE, order.rewrite),
        (REWRITE, migrate.rewrite),
    )
    for kind, provider in providers:
        if wanted(kind):
            yield from provider(asked)
