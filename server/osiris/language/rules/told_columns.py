"""How a finding says which columns there are, and which one was perhaps meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from osiris.language.rules.nodes import cut
from osiris.language.suggest import listing, nearest

_MOST_LISTED = 12
# A number that is no year, a date, an address: nobody calls a column so.
_VALUE = re.compile(r"\s*(?:(?!(?:19|20)\d\d\s*$)[-+]?\d[\d.,:/ TZeE+-]*|\S+@\S+\.\w+)\s*")
_NO_HEADER = "Its first line holds values, and no names: such a file is read with `header: false`."


def told_columns(wrong: str, names: Sequence[str], *, of_file: bool, has: str = "It has") -> tuple[str | None, str]:
    """The column that ``wrong`` was perhaps meant to be, and the words about those that there are.

    ``of_file``: they come from the first line of a file. Where that holds no names it is a row of data, which is
    repeated nowhere: findings also go to AI models.
    """
    if of_file and any(_VALUE.fullmatch(name) for name in names):
        return None, _NO_HEADER
    near = nearest(wrong, names)
    listed = f"{has} {listing((cut(name) for name in names), _MOST_LISTED)}."
    return near, f"Did you mean `{cut(near)}`? {listed}" if near else listed
