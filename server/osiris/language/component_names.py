"""Which component a name means that is none: by its spelling, or by the words that it shares with one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from osiris.components.registry import ComponentRegistry
from osiris.components.spec import ComponentSpec
from osiris.language.suggest import nearest

MOST = 3
"""So many components are named at most."""

_WORD = re.compile(r"[a-z]+|\d+")
# Words that say what a component does, and not with what.
_ROLES = {
    **dict.fromkeys(("extractor", "extract", "reader", "read", "source", "input", "import"), "read"),
    **dict.fromkeys(("writer", "write", "sink", "target", "output", "export", "exporter"), "write"),
    **dict.fromkeys(("processor", "process", "transform", "transformer", "transformation", "query"), "transform"),
}


@dataclass(frozen=True, slots=True)
class Meant:
    """The components that a name may mean, the likeliest first; ``certain``: it can mean the first one only."""

    names: tuple[str, ...] = ()
    certain: bool = False


def meant_component(name: str, mode: str | None, registry: ComponentRegistry) -> Meant:
    """What ``name``, which is no component, was meant to be in a step of this mode."""
    near = nearest(name, registry.names())
    if near:
        return Meant((near,), True)
    words = _words(name)
    roles = {_ROLES[word] for word in words if word in _ROLES} or {mode or ""}
    specs = list(registry.specs())
    fitting = [spec for spec in specs if roles & set(spec.modes)] or specs
    topics = [word for word in words if word not in _ROLES]
    known = {word for spec in specs for word in _words(spec.name) if word not in _ROLES}
    named = [word if word in known else nearest(word, known) or word for word in topics]
    scores = {spec.name: _score(named, spec) for spec in fitting}
    best = max(scores.values(), default=0)
    found = sorted(candidate for candidate, score in scores.items() if score == best > 0)
    exact = any(set(_words(candidate)) & set(named) for candidate in found)
    return Meant(tuple(found[:MOST]), len(found) == 1 and (exact or len(fitting) == 1))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _score(topics: Iterable[str], spec: ComponentSpec) -> int:
    """How much of what was written the component speaks of: words of its name count most, then of its title."""
    name, title = _words(spec.name), _words(spec.title)
    total = 0
    for topic in topics:
        if topic in name:
            total += 4
        elif topic in title:
            total += 2
        elif len(topic) >= 3 and any(topic in word for word in name):
            total += 1
    return total
