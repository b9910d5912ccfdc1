"""Did you mean: the known name nearest to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

# Among more names than this only those are compared that start or end as the misspelt one does.
_MANY = 200


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name in ``known`` that ``name`` was most likely meant to be, None when none is close.

    Close is: the same but for case, dashes and underscores; or at most one edit (up to 4 letters), two (up to 8) or
    three, a swap of neighbours counting as one. Of equally near names the first in alphabetical order wins.
    """
    folded = _fold(name)
    if not folded:
        return None
    limit = 1 if len(folded) <= 4 else 2 if len(folded) <= 8 else 3
    best: tuple[int, str] | None = None
    names = _folded(tuple(known))
    many = len(names) > _MANY
    for other, candidate in names:
        if abs(len(other) - len(folded)) > limit or (many and other[:1] != folded[:1] and other[-1:] != folded[-1:]):
            continue
        distance = _distance(folded, other, limit)
        if distance <= limit and distance < len(folded):
            best = (distance, candidate)
            limit = distance - 1  # from here on only a nearer one counts
            if limit < 0:
                break
    return best[1] if best else None


@lru_cache(maxsize=64)
def _folded(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Names as they are compared and as they are written, in alphabetical order."""
    return [(_fold(name), name) for name in sorted(set(names))]


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
