"""Which of many names what is typed may mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

Named = TypeVar("Named")


def best(found: Iterable[Named], typed: str, most: int, name: Callable[[Named], str]) -> list[Named]:
    """At most ``most`` of ``found``: those whose ``name`` starts with ``typed``, then those with it inside, then those
    with its letters in order. ``most`` or fewer come as they are: editors sort them out. Case does not count.
    """
    if not typed:
        return list(islice(found, most))
    every = list(found)
    if len(every) <= most:
        return every
    word = typed.casefold()
    starting: list[Named] = []
    holding: list[Named] = []
    others: list[tuple[str, Named]] = []
    for one in every:
        folded = name(one).casefold()
        at = folded.find(word)
        if at == 0:
            starting.append(one)
        elif at > 0:
            holding.append(one)
        else:
            others.append((folded, one))
    if len(starting) + len(holding) < most:
        letters = re.compile(".*?".join(map(re.escape, word)), re.DOTALL)
        holding += (one for folded, one in others if letters.search(folded))
    return [*starting, *holding][:most]
