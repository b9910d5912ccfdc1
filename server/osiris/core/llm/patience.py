"""Trying again what may succeed on another try, and nothing else."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator

from osiris.core.llm.chat_completions import Piece
from osiris.core.llm.errors import ModelCancelledError, ModelError

RETRIES = 2
_FIRST_WAIT = 0.5
_MOST_WAIT = 20.0


def with_retries(
    attempt: Callable[[], Iterator[Piece]],
    cancel: threading.Event,
    *,
    retries: int = RETRIES,
    on_retry: Callable[[ModelError, float], None] = lambda error, seconds: None,
) -> Iterator[Piece]:
    """What ``attempt`` yields; begun again, up to ``retries`` times, after a failure that may pass.

    It waits as long as the provider asks for, else twice as long each time, with chance in it. Once a piece has
    arrived nothing is tried again: the user would read it twice. ``on_retry`` hears of each with the seconds. Raises
    the last ModelError, ModelCancelledError when ``cancel`` is set.
    """
    for done in range(retries + 1):
        try:
            yield from attempt()
            return
        except ModelError as error:
            if not error.transient or error.answered or done == retries:
                raise
            seconds = error.retry_after
            if seconds is None:
                seconds = min(_MOST_WAIT, _FIRST_WAIT * 2**done) * random.uniform(0.5, 1.0)
            on_retry(error, seconds)
            if cancel.wait(seconds):
                raise ModelCancelledError("Stopped.") from None
