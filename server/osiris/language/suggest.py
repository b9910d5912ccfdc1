"""Did you mean: the known name nearest to a misspelt one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache

# Among more names than this only the neighbours count: those that start or that end most like the misspelt one. So a
# file full of unknown names and of known ones takes no longer than its size says.
_MANY = 100
_NEIGHBOURS = 12


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name in ``known`` that ``name`` was most likely meant to be, None when none is close.

    Close is: the same but for case, dashes and underscores; or at most one edit (up to 4 letters), two (up to 8) or
    three, a swap of neighbours counting as one. Of equally near names the first in alphabetical order wins. Among very
    many names one that differs at its start and at its end may be missed.
    """
    folded = _fold(name)
    if not folded:
        return None
    limit = 1 if len(folded) <= 4 else 2 if len(folded) <= 8 else 3
    best: tuple[int, str] | None = None
    letters = _letters(folded)
    for other, candidate, its_letters in _Names.of(tuple(known)).like(folded):
        # An edit changes the set of letters by two at most.
        if abs(len(other) - len(folded)) > limit or (its_letters ^ letters).bit_count() > 2 * limit:
            continue
        distance = _distance(folded, other, limit)
        if distance <= limit and distance < len(folded):
            best = (distance, candidate)
            limit = distance - 1  # from here on only a nearer one counts
            if limit < 0:
                break
    return best[1] if best else None


_Name = tuple[str, str, int]
"""A name as it is compared, as it is written, and its letters."""


class _Names:
    """Known names, ready to be compared with many misspelt ones."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.all: list[_Name] = [(folded := _fold(name), name, _letters(folded)) for name in sorted(set(names))]
        self.by_start: list[tuple[str, int]] = []
        self.by_end: list[tuple[str, int]] = []
        if len(self.all) > _MANY:
            self.by_start = sorted((folded, index) for index, (folded, _, _) in enumerate(self.all))
            self.by_end = sorted((folded[::-1], index) for index, (folded, _, _) in enumerate(self.all))

    @staticmethod
    @lru_cache(maxsize=64)
    def of(names: tuple[str, ...]) -> _Names:
        """Those of ``names``, made once."""
        return _Names(names)

    def like(self, folded: str) -> list[_Name]:
        """The names worth comparing, in alphabetical order."""
        if len(self.all) <= _MANY:
            return self.all
        found: set[int] = set()
        for order, text in ((self.by_start, folded), (self.by_end, folded[::-1])):
            at = bisect_left(order, (text, 0))
            found.update(index for _, index in order[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS])
        return [self.all[index] for index in sorted(found)]


def _letters(folded: str) -> int:
    """The set of letters of a name as bits; different letters may share one."""
    bits = 0
    for letter in folded:
        bits |= 1 << (ord(letter) & 63)
    return bits


def _fold(name: str) -> str:
    return name.lower().replace("-", "_")


def _distance(a: str, b: str, limit: int) -> int:
    """Edits from ``a`` to ``b`` with swaps of neighbours; anything above ``limit`` may be reported as limit + 1."""
    if a == b:
        return 0
    # What both start and end with takes no part; ids of one file often differ in a digit only.
    shorter = min(len(a), len(b))
    start = next((i for i in range(shorter) if a[i] != b[i]), shorter)
    end = next((i for i in range(shorter - start) if a[-1 - i] != b[-1 - i]), shorter - start)
    a, b = a[start : len(a) - end], b[start : len(b) - end]
    before: list[int] = []
    if min(len(a), len(b)) == 0:
        return max(len(a), len(b))
    previous = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        current = [i]
        for j, right in enumerate(b, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, previous = previous, current
    return previous[-1]


def listing(names: Iterable[str], most: int = 6) -> str:
    """Names as they stand in a message: quoted, in the given order, shortened when there are many."""
    all_names = list(names)
    shown = ", ".join(f"`{name}`" for name in all_names[:most])
    rest = len(all_names) - most
    return f"{shown} and {rest} more" if rest > 0 else shown
