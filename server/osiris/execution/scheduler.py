"""Working on several segments at once: lanes that take what is ready, the one that comes first in the plan first.

A lane is a thread with a connection of its own to the run's database. The first lane is the thread that starts the
work. Nobody looks again and again: a lane without work sleeps until another one has finished something.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Collection, Mapping, Sequence

from osiris.execution.segments import Segment


class Scheduler:
    """Takes every segment exactly once, when what it waits for is done."""

    def __init__(
        self,
        segments: Sequence[Segment],
        *,
        lanes: int,
        after: Mapping[int, Collection[int]],
        first_lane_only: Collection[int],
        work: Callable[[Segment, int], None],
        broken: Callable[[], None],
    ) -> None:
        """``work`` does a segment in a lane (from 0) and comes back; when it raises, nothing new starts any more.

        ``after`` names segments that others wait for beyond what they need. Those of ``first_lane_only`` are worked on
        by the thread that calls ``run``. ``broken`` is called once when ``work`` raised.
        """
        self._segments = {segment.number: segment for segment in segments}
        self._lanes = max(1, min(lanes, len(segments)))
        self._first_only = frozenset(first_lane_only)
        self._work = work
        self._on_broken = broken
        self._changed = threading.Condition()
        self._left = len(segments)
        self._error: BaseException | None = None
        self._followers: dict[int, list[int]] = {number: [] for number in self._segments}
        self._missing: dict[int, int] = {}
        self._ready: list[int] = []  # for any lane
        self._ready_first: list[int] = []  # for the first lane
        for number, segment in self._segments.items():
            waits_for = segment.needs | set(after.get(number, ()))
            self._missing[number] = len(waits_for)
            for other in waits_for:
                self._followers[other].append(number)
            if not waits_for:
                self._is_ready(number)

    def run(self) -> None:
        """Work until everything is done. Raises what ``work`` raised first."""
        others = [
            threading.Thread(target=self._lane, args=(lane,), name=f"lane-{lane}", daemon=True)
            for lane in range(1, self._lanes)
        ]
        for thread in others:
            thread.start()
        self._lane(0)
        for thread in others:
            thread.join()
        if self._error is not None:
            raise self._error

    def _lane(self, lane: int) -> None:
        done: int | None = None
        while (segment := self._next(lane, done)) is not None:
            done = segment.number
            try:
                self._work(segment, lane)
            except BaseException as error:  # noqa: BLE001 - it is raised again by ``run``, in the caller's thread
                self._broken(error)
                return

    def _next(self, lane: int, done: int | None) -> Segment | None:
        """What a lane does next, None when there is nothing left; ``done`` is what it has just finished."""
        with self._changed:
            if done is not None:
                self._left -= 1
                for follower in self._followers[done]:
                    self._missing[follower] -= 1
                    if self._missing[follower] == 0:
                        self._is_ready(follower)
            number = self._take(lane)
            self._changed.notify_all()
            while number is None and self._left > 0 and self._error is None:
                self._changed.wait()
                number = self._take(lane)
            return self._segments[number] if number is not None else None

    def _take(self, lane: int) -> int | None:
        if self._error is not None:
            return None
        if lane == 0 and self._ready_first:
            return heapq.heappop(self._ready_first)
        return heapq.heappop(self._ready) if self._ready else None

    def _is_ready(self, number: int) -> None:
        heapq.heappush(self._ready_first if number in self._first_only else self._ready, number)

    def _broken(self, error: BaseException) -> None:
        with self._changed:
            first = self._error is None
            self._error = self._error or error
            self._changed.notify_all()
        if first:
            self._on_broken()
