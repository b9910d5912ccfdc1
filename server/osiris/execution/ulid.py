"""Run ids: ``run_`` and a ULID, so that names sort by time and no two machines make the same one."""

from __future__ import annotations

import os
import re
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RUN_ID = re.compile(r"run_[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_ulid(milliseconds: int | None = None) -> str:
    """A ULID: 48 bits of time (default: now) and 80 random bits in Crockford's base 32, 26 characters."""
    moment = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    number = (moment & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10))
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5))


def new_run_id() -> str:
    """The id of a new run: ``run_01J...``."""
    return f"run_{new_ulid()}"


def seconds_of(run_id: str) -> float:
    """When a run id was made, in seconds since 1970."""
    number = 0
    for character in run_id.removeprefix("run_")[:10]:
        number = number << 5 | _ALPHABET.index(character)
    return number / 1000


def is_run_id(text: str) -> bool:
    """Whether ``text`` has the form of a run id (and so is safe as a folder name)."""
    return RUN_ID.fullmatch(text) is not None
