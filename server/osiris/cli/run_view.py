"""Shows a run while it happens: lines of text, a status line on a terminal, or each event as JSON."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.run_lines import Pacing, line_of, progress, with_shown_path
from osiris.cli.source_view import plain_line
from osiris.cli.streams import colour_wanted, paint, write_json_line

if TYPE_CHECKING:
    from rich.status import Status

    from osiris.cli.query_place import QueryPlaces


_PATIENCE_SECONDS = 2.0


class RunView:
    """Prints the events of one run. On a terminal a last line says which step is under way.

    ``quiet`` prints nothing; ``events_as_json`` prints each event as one line of JSON. The paths in events are relative
    to ``root``, the project's folder; ``places`` finds where in an OML file an error stands. ``failed`` holds the steps
    whose errors have been printed.
    """

    def __init__(
        self,
        title: str,
        *,
        root: Path,
        places: QueryPlaces | None = None,
        quiet: bool = False,
        events_as_json: bool = False,
    ) -> None:
        self._title = title
        self._root = root
        self._places = places
        self.failed: set[str] = set()
        self._quiet = quiet
        self._as_json = events_as_json
        self._colour = colour_wanted(sys.stdout)
        self._status: Status | None = None
        self.problem: OSError | None = None
        self._under_way: dict[str, str] = {}
        self._pacing = Pacing()
        self._waiting: threading.Timer | None = None

    def __enter__(self) -> RunView:
        """Begin; on a terminal this starts the status line."""
        if sys.stdout.isatty() and not (self._quiet or self._as_json) and os.environ.get("TERM") != "dumb":
            from rich.console import Console

            console = Console(highlight=False, no_color=not self._colour)
            self._status = console.status(self._title)
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the status line."""
        self._stop_waiting()
        if self._status is not None:
            self._status.stop()

    def show(self, event: Mapping[str, Any]) -> None:
        """Show one event. A reader that left, or a full disk behind standard output, does not stop the run.

        ``problem`` keeps it for the end.
        """
        try:
            if self._as_json and not self._quiet:
                write_json_line(event)
            elif not self._quiet:
                self._show_line(event)
        except OSError as problem:
            self.problem, self._quiet = problem, True

    def _show_line(self, event: Mapping[str, Any]) -> None:
        self._stop_waiting()
        if event.get("event") == "run_queued":
            # Nearly always it starts at once; only a wait that is felt is worth a line.
            other = event.get("waits_for")
            why = f"waiting for {other}, a run of the same pipeline" if other else "waiting to start"
            self._waiting = threading.Timer(_PATIENCE_SECONDS, self._say, [why])
            self._waiting.daemon = True
            self._waiting.start()
        if event.get("event") == "step_error":
            self._say_failure(event)
        elif self._in_status_line(event):
            pass
        elif line := line_of(with_shown_path(event, self._root), colour=self._colour):
            self._say(line)
        if self._status is not None:
            self._status.update(self._now(event))

    def _in_status_line(self, event: Mapping[str, Any]) -> bool:
        """Whether the event needs no line of its own: progress, which a terminal shows in its last line."""
        if event.get("event") != "step_progress" or event.get("warning"):
            return False
        return self._status is not None or not self._pacing.passes(event)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    def _say(self, line: str) -> None:
        if self._status is None:
            click.echo(line)
            sys.stdout.flush()
        else:
            from rich.text import Text

            self._status.console.print(Text.from_ansi(line), soft_wrap=True)

    def _say_failure(self, event: Mapping[str, Any]) -> None:
        """The reason, its place and the hint, on standard error."""
        colour = colour_wanted(sys.stderr)
        lines = [line_of(event, colour=colour) or ""]
        place = self._places.of(event) if self._places is not None else None
        if place:
            lines.append(f"        at {place}")
        hint = event.get("hint")
        if hint:
            lines.append(f"{paint('hint:  ', 'hint', on=colour)} {plain_line(str(hint))}")
        if self._status is not None:
            self._status.stop()
        sys.stdout.flush()
        click.echo("\n".join(lines), err=True)
        self.failed.add(str(event.get("step_id")))
        if self._status is not None:
            self._status.start()

    def _now(self, event: Mapping[str, Any]) -> str:
        """What the status line says after ``event``."""
        from rich.markup import escape

        step = str(event.get("step_id", ""))
        match event.get("event"):
            case "step_start":
                self._under_way[step] = ""
            case "step_progress" if step in self._under_way and not event.get("warning"):
                self._under_way[step] = f" {progress(event)}"
            case "step_complete" | "step_error" | "step_skipped":
                self._under_way.pop(step, None)
        steps = ", ".join(f"{name}{progress}" for name, progress in self._under_way.items())
        return escape(f"{self._title}: {steps}" if steps else self._title)


@contextlib.contextmanager
def noted_signals() -> Iterator[list[int]]:
    """Inside the block, collect the numbers of the signals that arrive; whoever handles them is not disturbed.

    The list is filled when the block ends. Empty where the system cannot do this (Windows).
    """
    numbers: list[int] = []
    try:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    except (OSError, ValueError):
        yield numbers
        return
    try:
        yield numbers
    finally:
        signal.set_wakeup_fd(before)
        with contextlib.suppress(BlockingIOError):
            wanted = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
            numbers += [number for number in os.read(reader, 4096) if number in wanted]
        os.close(reader)
        os.close(writer)
