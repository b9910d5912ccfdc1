"""Turns the events of a run into lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.cli.arguments import shown_path
from osiris.cli.source_view import plain_line
from osiris.cli.streams import paint

Event = Mapping[str, Any]


def line_of(event: Event, *, colour: bool = False) -> str | None:
    """The line to show for an event, None for events that say nothing new to a person."""
    name, step = event.get("event"), str(event.get("step_id", ""))
    if name == "run_start" and (folders := event.get("allowed_folders")):
        shown = plain_line(", ".join(map(str, folders)))
        return f"{paint('allowed', 'warning', on=colour)} {shown}  outside the project, by osiris.yaml"
    if name == "remote_start":
        return f"{paint('machine', 'faint', on=colour)} {event.get('machine')}"
    if name == "remote_reconnect":
        return f"{paint('again  ', 'warning', on=colour)} following {event.get('machine')}"
    if name == "step_complete" and event.get("reused") and "duration" not in event:
        by = event["reused"]
        return f"{paint('before ', 'faint', on=colour)} {step}{', unchanged' if by == 'cache' else f', done by {by}'}"
    if name == "step_complete":
        again = event.get("reused")
        origin = "" if not again else ", unchanged" if again == "cache" else f", rows of {again}"
        return f"{paint('done   ', 'good', on=colour)} {step}{facts(event)}{origin}"
    if name == "step_progress" and event.get("warning"):
        return f"{paint('warning', 'warning', on=colour)} {step}: {plain_line(str(event['warning']))}"
    if name == "step_progress":
        return f"{paint('runs   ', 'faint', on=colour)} {step}  {progress(event)}"
    if name == "step_error":
        return f"{paint('failed ', 'error', on=colour)} {step}{_because(event)}"
    if name == "step_skipped":
        return f"{paint('skipped', 'warning', on=colour)} {step}{_because(event)}"
    if name == "step_retry":
        attempt = f", attempt {event['attempt']}" if "attempt" in event else ""
        return f"{paint('again  ', 'warning', on=colour)} {step}{attempt}{_because(event)}"
    if name == "artifact_created":
        return f"{paint('wrote  ', 'good', on=colour)} {event.get('path', event.get('name', ''))}{facts(event)}"
    return None


def with_shown_path(event: Event, root: Path) -> Event:
    """The event with its ``path``, if any, as the user would write it; in events it is relative to the project."""
    path = event.get("path")
    return {**event, "path": shown_path(root / path)} if isinstance(path, str) else event


def facts(event: Event) -> str:
    """Rows and seconds of an event as `` 1,234 rows, 0.12 s`` with two spaces in front; empty without any."""
    parts = []
    rows = event.get("rows")
    if isinstance(rows, int) and not isinstance(rows, bool):
        parts.append(f"{rows:,} row{'' if rows == 1 else 's'}")
    if isinstance(seconds := event.get("duration"), int | float):
        parts.append(format_seconds(seconds))
    return f"  {', '.join(parts)}" if parts else ""


def progress(event: Event) -> str:
    """How far a step is: ``45 %, 1,200,000 rows (400,000/s), 12.3 MB (4.1 MB/s), 3.0 s``."""
    parts = []
    if isinstance(percent := event.get("percent"), int | float):
        parts.append(f"{percent:.0f} %")
    for key, shown in (("rows", lambda n: f"{n:,}"), ("bytes", format_bytes)):
        if isinstance(amount := event.get(key), int):
            rate = event.get(f"{key}_per_second")
            unit = " rows" if key == "rows" else ""
            parts.append(f"{shown(amount)}{unit}" + (f" ({shown(rate)}/s)" if isinstance(rate, int) else ""))
    if isinstance(seconds := event.get("duration"), int | float):
        parts.append(format_seconds(seconds))
    return ", ".join(parts)


class Pacing:
    """Lets through one line of progress of each step in ``SECONDS``, by the clock of the run itself."""

    SECONDS = 5.0

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def passes(self, event: Event) -> bool:
        """Whether the event is worth a line of its own."""
        step, seconds = str(event.get("step_id")), event.get("duration")
        if event.get("event") == "step_start":
            self._last.pop(step, None)
        if event.get("event") != "step_progress" or not isinstance(seconds, int | float):
            return True
        if step in self._last and seconds - self._last[step] < self.SECONDS:
            return False
        self._last[step] = float(seconds)
        return True


def format_bytes(size: float) -> str:
    """A size as people read it: ``12 B``, ``3.4 kB``, ``5.6 MB``."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"


def format_seconds(seconds: float) -> str:
    """Seconds as people read them: ``0.004 s``, ``0.42 s``, ``12.3 s``, ``2 min 5 s``."""
    if seconds >= 60:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s"
    return f"{seconds:.{1 if seconds >= 10 else 2 if seconds >= 0.01 else 3}f} s"


def _because(event: Event) -> str:
    reason = event.get("message") or event.get("error") or event.get("reason")
    return f": {plain_line(str(reason))}" if reason else ""
