"""Letting go of what a step that failed still holds: above all a query that nobody reads to its end.

A connection of DuckDB takes no other query meanwhile, so the next step of the same lane would fail for it.
"""

from __future__ import annotations

import gc
import traceback


def let_go(error: BaseException) -> None:
    """Empty the frames that ``error`` came through, and those of the errors behind it; they are over."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        traceback.clear_frames(one.__traceback__)  # leaves alone those that still run
        todo += [one.__cause__, one.__context__]
    gc.collect()  # a stream that remembers what broke it holds itself
