"""Trying a step again: after which errors, and when."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from osiris.core.error_taxonomy import OsirisError, classify

_JITTER = 0.2


class TimeUp(Exception):  # noqa: N818
    """An attempt took longer than its timeout."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"It took longer than its timeout of {seconds:g} s and was stopped.")


def permanent(error: BaseException) -> bool:
    """Whether trying again, without any change, is not known to help.

    What nobody knows counts as such: an attempt whose end is unknown may have written its rows.
    """
    if outcome_unknown(error):
        return True
    return not isinstance(error, TimeUp) and not classify(error).transient


def outcome_unknown(error: BaseException | None) -> bool:
    """Whether a writer said, also while it was stopped, that nobody knows whether its rows have arrived."""
    while error is not None:
        if isinstance(error, OsirisError) and error.outcome_unknown:
            return True
        error = error.__cause__
    return False


def pause_after(attempt: int, retry: Mapping[str, Any]) -> float:
    """Seconds to wait after a failed attempt: twice as long each time, up to ``max_delay``, and a little by chance.

    Chance keeps those apart who lost the same server at the same moment.
    """
    delay = float(retry.get("delay") or 0)
    most = float(retry["max_delay"]) if retry.get("max_delay") is not None else float("inf")
    pause = min(delay * 2.0 ** min(attempt - 1, 64), most) * random.uniform(1 - _JITTER, 1 + _JITTER)
    return round(min(pause, most), 3)
