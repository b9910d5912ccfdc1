"""The outline of a pipeline: its parameters, profiles and steps, also of those that are broken."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.model import Pipeline, Step, TopEntry


class SymbolKind(enum.Enum):
    """What a symbol stands for."""

    GROUP = "group"
    PARAM = "param"
    PROFILE = "profile"
    STEP = "step"
    CONNECTION = "connection"
    SETTING = "setting"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named thing: ``span`` is all of it, ``name_span``, which lies inside, its name."""

    name: str
    kind: SymbolKind
    span: Span
    name_span: Span
    detail: str = ""
    children: tuple[Symbol, ...] = ()


def symbols(analysis: Analysis) -> tuple[Symbol, ...]:
    """The outline in the order of the file."""
    pipeline = analysis.pipeline
    found: list[Symbol] = []
    for entry in pipeline.top:
        match entry.entry.key.text:
            case "params" if pipeline.params:
                found.append(_group(entry, "params", tuple(_params(pipeline))))
            case "profiles" if pipeline.profiles:
                children = tuple(
                    Symbol(_shown(p.name), SymbolKind.PROFILE, p.key, p.key) for p in pipeline.profiles.values()
                )
                found.append(_group(entry, "profiles", children))
            case "steps" if pipeline.steps:
                found.append(_group(entry, "steps", tuple(_step(step) for step in pipeline.steps)))
    return tuple(found)


def _group(entry: TopEntry, name: str, children: tuple[Symbol, ...]) -> Symbol:
    start, end = entry.key.start, max(entry.value.end, entry.key.end)
    end = max(end, *(child.span.end for child in children))
    return Symbol(name, SymbolKind.GROUP, Span(start, end), entry.key, "", children)


def _params(pipeline: Pipeline) -> list[Symbol]:
    return [
        Symbol(_shown(p.name), SymbolKind.PARAM, _around(p.span, p.key), p.key, p.type or "")
        for p in pipeline.params.values()
    ]


def _shown(name: str) -> str:
    """A name that can be seen: editors refuse a whole outline because of one that is empty."""
    return name if name.strip() else f'"{name}"'


def _step(step: Step) -> Symbol:
    detail = " · ".join(word for word in (step.component, step.mode) if word)
    anchor = step.anchor
    return Symbol(
        _shown(step.id) if step.id else f"step {step.index + 1}",
        SymbolKind.STEP,
        _around(step.span, anchor),
        anchor,
        detail,
    )


def _around(span: Span, inner: Span) -> Span:
    """``span`` widened to hold ``inner``: editors refuse a name outside its symbol."""
    return Span(min(span.start, inner.start), max(span.end, inner.end))
