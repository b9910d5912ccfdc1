"""Taking what a server sends before it is asked for, so that server, network and our own work go on side by side."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class ReadAhead(Iterator[T], Generic[T]):
    """The items of ``source``, which a thread of its own takes from now on, at most ``most`` before they are wanted.

    What ``source`` raises is raised where its next item would have come.
    """

    def __init__(self, source: Generator[T, None, None], most: int) -> None:
        self._ahead = _Ahead(source, most)
        weakref.finalize(self, self._ahead.stop)
        self._thread = threading.Thread(target=self._ahead.take, name="read-ahead", daemon=True)
        self._thread.start()

    def __next__(self) -> T:
        """The next item; waits for it."""
        return self._ahead.next()

    def close(self, seconds: float) -> None:
        """Take no more, and wait so long for the thread, which wakes when what it waits for has been cut."""
        self._ahead.stop()
        self._thread.join(seconds)


class _Ahead(Generic[T]):
    """What the two threads share. It does not know its ReadAhead, so that one nobody wants any more can go."""

    def __init__(self, source: Generator[T, None, None], most: int) -> None:
        self._source = source
        self._most = most
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._over = False
        self._error: BaseException | None = None

    def take(self) -> None:
        """Take items until there are no more, or nobody wants them."""
        try:
            for item in self._source:
                with self._changed:
                    self._items.append(item)
                    self._changed.notify_all()
                    del item
                    self._changed.wait_for(lambda: self._stopped or len(self._items) < self._most)
                    if self._stopped:
                        break
        except BaseException as error:  # noqa: BLE001 - it is raised again where the rows are wanted
            self._error = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()
            self._source.close()

    def next(self) -> T:
        """The next item."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._over)
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            error, self._error = self._error, None
        raise error or StopIteration

    def stop(self) -> None:
        """From now on nobody wants anything."""
        with self._changed:
            self._stopped = True
            self._items.clear()
            self._changed.notify_all()
