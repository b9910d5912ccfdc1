"""When each step of a run was at work, as one line of blocks beside it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 24  # characters

Event = Mapping[str, Any]


class Timeline:
    """Where in the time of a run its steps began and ended, as its events tell."""

    def __init__(self, status: Event, events: Sequence[Event]) -> None:
        """``status`` says when the run began and ended; of one that goes on, the last event is the end."""
        self._spans: dict[str, tuple[float, float | None]] = {}
        moments = [moment for event in events if (moment := seconds_of(event.get("ts"))) is not None]
        self._begin = seconds_of(status.get("started"))
        self._end = seconds_of(status.get("finished")) or (max(moments) if moments else None)
        for event in events:
            step, moment = str(event.get("step_id")), seconds_of(event.get("ts"))
            if moment is None:
                continue
            if event.get("event") == "step_start":
                self._spans[step] = (moment, None)
            elif event.get("event") in ("step_complete", "step_error") and step in self._spans:
                self._spans[step] = (self._spans[step][0], moment)
            elif event.get("event") == "step_skipped":  # it waited to be part of one that failed
                self._spans.pop(step, None)

    @property
    def worth_showing(self) -> bool:
        """Whether there is something to compare: two steps or more, and time that a person notices."""
        long_enough = self._begin is not None and self._end is not None and self._end - self._begin >= 1.0
        return long_enough and len(self._spans) > 1

    def bar(self, step: str, *, unicode: bool) -> str:
        """The time of a step in that of the run, ``WIDTH`` characters; blank when it did not run."""
        if step not in self._spans or self._begin is None or self._end is None:
            return " " * WIDTH
        begin, end = self._spans[step]
        scale = WIDTH / max(self._end - self._begin, 1e-3)
        first = min(max(int((begin - self._begin) * scale), 0), WIDTH - 1)
        last = min(max(round(((end or self._end) - self._begin) * scale), first + 1), WIDTH)
        full, empty = ("━", "·") if unicode else ("=", ".")
        return empty * first + full * (last - first) + empty * (WIDTH - last)


def seconds_of(text: object) -> float | None:
    """A time of a status or an event in seconds since 1970; None for what is none."""
    try:
        return datetime.datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
