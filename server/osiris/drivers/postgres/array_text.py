"""Arrays as PostgreSQL writes them: ``{1,NULL,"a \\"b\\""}``."""

from __future__ import annotations

import re

# A quoted element, or one that is not.
_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",{}\\]+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BOUNDS = re.compile(r"\[-?\d+:-?\d+\]=")


def flat_items(text: str) -> list[str | None]:
    """The elements of an array of one dimension. Raises ValueError for one of several dimensions."""
    match = _BOUNDS.match(text)
    body = text[match.end() if match else 0 :]
    if not (body.startswith("{") and body.endswith("}")):
        raise ValueError("several dimensions")
    items: list[str | None] = []
    at, end = 1, len(body) - 1
    while at < end:
        item = _ITEM.match(body, at, end)
        if item is None:
            raise ValueError("several dimensions")
        if item[1] is not None:
            items.append(_ESCAPED.sub(r"\1", item[1]))
        else:
            items.append(None if item[2] == "NULL" else item[2])
        at = item.end() + 1  # the comma
    return items
