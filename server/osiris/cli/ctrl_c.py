"""What Ctrl-C does in a session on a terminal: it stops what is under way, and never the program itself."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from enum import Enum, auto
from types import FrameType


class At(Enum):
    """What is going on. A KeyboardInterrupt comes only where somebody waits for it."""

    NOTHING = auto()
    """Nothing that could be stopped: the key does nothing."""
    ANSWER = auto()
    """The first one asks the answer to end, the second one interrupts it."""
    QUESTION = auto()
    """The user is asked, or a command works: it is interrupted."""


class CtrlC:
    """``asked``: set when an answer is to end."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._at = At.NOTHING

    @contextlib.contextmanager
    def owned(self) -> Iterator[None]:
        """Inside the block the key is ours, and a terminal that is closed ends us in order, so that nothing is left of
        what was under way. Call from the main thread."""
        handlers = {signal.SIGINT: self._pressed, signal.SIGTERM: _ended}
        if hasattr(signal, "SIGHUP"):
            handlers[signal.SIGHUP] = _ended
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def during(self, at: At) -> Iterator[None]:
        """What is going on inside the block, which may raise KeyboardInterrupt."""
        before = self._at
        self._at = at
        try:
            yield
        finally:
            self._at = before

    def line(self, prompt: str) -> str:
        """What the user types. Raises KeyboardInterrupt, EOFError, UnicodeDecodeError."""
        try:
            with self.during(At.QUESTION):
                return input(prompt)
        except SystemError as error:
            link: BaseException | None = error
            while link is not None:  # how the interpreter tells of a second one while readline gives way to the first
                if isinstance(link, KeyboardInterrupt):
                    raise KeyboardInterrupt from None
                link = link.__cause__
            raise

    def _pressed(self, number: int, frame: FrameType | None) -> None:
        at = self._at
        if at is At.QUESTION or (at is At.ANSWER and self.asked.is_set()):
            self._at = At.NOTHING  # once: the next one may come before anybody has caught this one
            raise KeyboardInterrupt
        if at is At.ANSWER:
            self.asked.set()


def _ended(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
