"""The tables that Osiris itself makes in databases that it writes into: nobody looks for them there."""

from __future__ import annotations

import re

JOURNAL = "osiris_journal"
"""Which appends the database holds; see ``osiris.drivers.journal``."""

UNNAMED = "osiris_new_"
"""How the names of tables begin that get their own names when all rows are in them."""

_UNNAMED = re.compile(rf"{UNNAMED}[0-9a-f]{{16}}")


def is_own_table(name: str) -> bool:
    """Whether a table of this name is one of ours."""
    return name == JOURNAL or _UNNAMED.fullmatch(name) is not None
