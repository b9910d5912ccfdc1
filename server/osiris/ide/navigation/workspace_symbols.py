"""Finding pipelines, steps and parameters by a few letters of their names, over many documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from osiris.ide.navigation.document_symbols import SymbolKind
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis

_SEPARATORS = "-_./ "


@dataclass(frozen=True, slots=True)
class NamedThing:
    """Something with a name in a document; ``container`` is the name of its pipeline. Better matches score lower."""

    name: str
    kind: SymbolKind | Literal["pipeline"]
    container: str
    span: Span
    score: int


def named_like(analysis: Analysis, query: str, path: str) -> Iterator[NamedThing]:
    """The pipeline, its steps and its parameters whose names hold the letters of ``query`` in their order.

    Case and blanks do not count. A step or parameter may also be found by the pipeline's name in front of its own.
    ``path`` stands for a pipeline without a name.
    """
    pipeline = analysis.pipeline
    entry = pipeline.entry("name")
    own = pipeline.name or path
    span = entry.value if entry is not None and pipeline.name else Span(0, 0)
    things: list[tuple[str, SymbolKind | Literal["pipeline"], Span]] = [(own, "pipeline", span)]
    things += [(step.id, SymbolKind.STEP, step.anchor) for step in pipeline.steps if step.id and step.id.strip()]
    things += [(name, SymbolKind.PARAM, param.key) for name, param in pipeline.params.items() if name.strip()]
    letters = "".join(query.lower().split())
    for name, kind, place in things:
        score = likeness(letters, name.lower())
        if score is None and kind != "pipeline" and (wider := likeness(letters, f"{own} {name}".lower())) is not None:
            score = 1000 + wider
        if score is not None:
            yield NamedThing(name, kind, "" if kind == "pipeline" else own, place, score)


def likeness(letters: str, name: str) -> int | None:
    """How unlike ``name`` is to what was typed: 0 for the same, None when it does not hold the letters in order.

    Letters that stand together, at the start, or at the start of a word are more like what was meant.
    """
    if letters == name:
        return 0
    together = name.find(letters)
    if together >= 0:
        at_word = together == 0 or name[together - 1] in _SEPARATORS
        return 1 + together + (0 if at_word else 20) + min(len(name) - len(letters), 50)
    score, at = 100 + min(len(name), 50), -1
    for letter in letters:
        found = name.find(letter, at + 1)
        if found < 0:
            return None
        if found != at + 1:
            score += 1 if name[found - 1] in _SEPARATORS else 5
        at = found
    return score
