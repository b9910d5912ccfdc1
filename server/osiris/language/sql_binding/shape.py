"""The names of the columns of a table or a result: rather too many of them than too few."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_NUMBERED = re.compile(r"(.+)_\d+")
_PLAIN = re.compile(r"[^\W\d]\w*")
_LITERALS = frozenset(("null", "true", "false"))
_MOST_LEVELS = 24


class Shape:
    """The columns of ``base`` with the ``added`` ones behind them. Never changed once made; the same one for the same.

    ``doubled``: names that come more than once, so that the engine numbers them. ``unnamed``: there are columns whose
    names are made of their expressions.
    """

    __slots__ = ("added", "base", "doubled", "levels", "unnamed")
    base: Shape | None
    added: dict[str, str]
    doubled: frozenset[str]
    levels: int
    unnamed: bool

    def __init__(self, base: Shape | None, added: tuple[str, ...], unnamed: bool) -> None:
        """Use ``shape`` instead, which gives the same object for the same columns."""
        names: dict[str, str] = {}
        doubled: set[str] = set()
        if base is not None and base.levels >= _MOST_LEVELS:
            for part in base._parts():
                names.update(part.added)
            doubled |= base.doubled
            unnamed, base = unnamed or base.unnamed, None
        for name in added:
            key = name.casefold()
            if key in names or (base is not None and base.lists(key)):
                doubled.add(key)
            else:
                names[key] = name
        self.base, self.added = base, names
        self.levels = 0 if base is None else base.levels + 1
        self.doubled = frozenset(doubled) if base is None else base.doubled | doubled
        self.unnamed = unnamed or (base is not None and base.unnamed)

    def __iter__(self) -> Iterator[str]:
        """The names in their order."""
        for part in self._parts():
            yield from part.added.values()

    def _parts(self) -> list[Shape]:
        """All that it is made of, the innermost first."""
        parts: list[Shape] = []
        shape: Shape | None = self
        while shape is not None:
            parts.append(shape)
            shape = shape.base
        parts.reverse()
        return parts

    def lists(self, key: str) -> bool:
        """Whether a name (in one case) is one of the columns."""
        shape: Shape | None = self
        while shape is not None:
            if key in shape.added:
                return True
            shape = shape.base
        return False

    def may_have(self, key: str) -> bool:
        """Whether a name (in one case) may be one of the columns."""
        if self.lists(key):
            return True
        numbered = _NUMBERED.fullmatch(key) if self.doubled else None
        while numbered is not None:
            if numbered[1] in self.doubled:
                return True
            numbered = _NUMBERED.fullmatch(numbered[1])
        return self.unnamed and (not _PLAIN.fullmatch(key) or key in _LITERALS)


@lru_cache(maxsize=8192)
def shape(base: Shape | None, added: tuple[str, ...], unnamed: bool = False) -> Shape:
    """The columns of ``base`` and the ``added`` ones, always the same object for the same."""
    if base is not None and not added and not unnamed:
        return base
    return Shape(base, added, unnamed)


def shape_of(names: Iterable[str]) -> Shape:
    """The columns of a table."""
    return shape(None, tuple(names))
