"""One run on one page: how it went, what each step did, what was written, what to do next."""

from __future__ import annotations

import datetime
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.arguments import shown_path
from osiris.cli.run_lines import format_bytes, format_seconds, progress
from osiris.cli.run_timeline import WIDTH, Timeline, seconds_of
from osiris.cli.source_view import columns, plain_line
from osiris.cli.streams import colour_wanted, paint, speaks_unicode

if TYPE_CHECKING:
    from osiris.execution.runs import RunInfo

_STYLES = {
    "succeeded": "good",
    "failed": "error",
    "interrupted": "error",
    "cancelled": "warning",
    "skipped": "warning",
    "running": "strong",
}

_FELT_SECONDS = 2.0

Event = Mapping[str, Any]


def show(info: RunInfo, steps: Sequence[Event], events: Sequence[Event]) -> None:
    """Print the page. ``steps``: what became of each; ``events``: all that were written so far."""
    colour = colour_wanted(sys.stdout)
    status = info.status
    click.echo(f"{paint(str(info.pipeline or info.id), 'strong', on=colour)}  {info.id}")
    click.echo(f"state:  {paint(info.state, _STYLES.get(info.state, 'strong'), on=colour)}{_how(status)}")
    for label, value in _head(status, steps, events):
        click.echo(f"{label + ':':<7} {value}")
    if steps:
        click.echo()
        _table(steps, events, Timeline(status, events), colour)
    _trouble(info, events)
    files = [event for event in events if event.get("event") == "artifact_created"]
    if files:
        click.echo()
    for event in files:
        size = event.get("bytes")
        click.echo(f"wrote:  {event.get('path', '')}" + (f"  {format_bytes(size)}" if isinstance(size, int) else ""))
    click.echo(f"log:    {shown_path(info.path)}")
    if info.active:
        click.echo(f"next:   osiris runs follow {info.id}")
    elif by := _resumed_by(info):
        click.echo(f"next:   osiris runs show {by}, which went on with it")
    elif info.state != "succeeded":
        click.echo(f"next:   osiris run --resume {info.id}")


def _resumed_by(info: RunInfo) -> str:
    """The run that went on with this one; empty when none has."""
    from osiris.execution.resume import CLAIM_FILE

    try:
        return plain_line((info.path / CLAIM_FILE).read_text(errors="replace").strip())
    except OSError:
        return ""


def _how(status: Event) -> str:
    duration = status.get("duration")
    return f" in {format_seconds(duration)}" if isinstance(duration, int | float) else ""


def _head(status: Event, steps: Sequence[Event], events: Sequence[Event]) -> list[tuple[str, str]]:
    """What is worth saying of the run as a whole."""
    found: list[tuple[str, str]] = []
    if (when := _moment(status.get("started") or status.get("queued"))) is not None:
        found.append(("began", when + _waited(status)))
    if status.get("resumes"):
        found.append(("after", f"{status['resumes']}, with which it went on"))
    if status.get("profile"):
        found.append(("profile", str(status["profile"])))
    if status.get("to"):
        found.append(("up to", str(status["to"])))
    states = Counter(str(step.get("state")) for step in steps)
    if len(states) > 1:
        found.append(("steps", ", ".join(f"{count} {state}" for state, count in states.items())))
    wrote = [event for event in events if event.get("event") == "artifact_created"]
    if sizes := [event["bytes"] for event in wrote if isinstance(event.get("bytes"), int)]:
        found.append(("output", f"{format_bytes(sum(sizes))} in {len(sizes)} file{'' if len(sizes) == 1 else 's'}"))
    if isinstance(memory := status.get("peak_memory"), int):
        found.append(("memory", f"{format_bytes(memory)} at most"))
    return found


def _waited(status: Event) -> str:
    """How long the run waited for its turn, where that was felt."""
    queued, started = seconds_of(status.get("queued")), seconds_of(status.get("started"))
    waited = started - queued if queued is not None and started is not None else 0.0
    return f", after waiting {format_seconds(waited)}" if waited >= _FELT_SECONDS else ""


def _moment(text: object) -> str | None:
    """A time of a status in the time zone of who reads."""
    try:
        moment = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _table(steps: Sequence[Event], events: Sequence[Event], timeline: Timeline, colour: bool) -> None:
    """A line for each step: its state, name, rows, bytes, time, when it was at work, and what is to be said of it."""
    latest = {str(e.get("step_id")): e for e in events if e.get("event") == "step_progress" and not e.get("warning")}
    reused = {str(e.get("step_id")): str(e["reused"]) for e in events if e.get("reused")}
    rows = [_cells(step) for step in steps]
    widths = [max(columns(row[i]) for row in rows) for i in range(5)]
    bars = timeline.worth_showing and _has_room(sum(widths) + 14 + WIDTH)
    for row, step in zip(rows, steps, strict=True):
        state, name, count, size, took = row
        pad = [" " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)]
        style = _STYLES.get(state, "faint")
        line = f"  {paint(state, style, on=colour)}{pad[0]}  {name}{pad[1]}"
        line += f"  {pad[2]}{count}  {pad[3]}{size}  {pad[4]}{took}"
        if bars:
            bar = timeline.bar(str(step.get("id")), unicode=speaks_unicode(sys.stdout))
            line += f"  {paint(bar, style, on=colour)}"
        if step.get("state") == "running" and (now := latest.get(str(step.get("id")))):
            line += f"  {progress(now)}"
        elif by := reused.get(str(step.get("id"))):
            line += "  unchanged" if by == "cache" else f"  of {by}"
        click.echo(line.rstrip())


def _has_room(width: int) -> bool:
    """Whether so many characters fit on a line; what goes into a file or a pipe may be long."""
    return not sys.stdout.isatty() or width <= shutil.get_terminal_size().columns


def _cells(step: Event) -> tuple[str, str, str, str, str]:
    rows, size, duration = step.get("rows"), step.get("bytes"), step.get("duration")
    attempts = step.get("attempts")
    again = f" (attempt {attempts})" if isinstance(attempts, int) else ""
    return (
        str(step.get("state", "")),
        plain_line(str(step.get("id", ""))) + again,
        f"{rows:,} row{'' if rows == 1 else 's'}" if isinstance(rows, int) else "",
        format_bytes(size) if isinstance(size, int) else "",
        format_seconds(duration) if isinstance(duration, int | float) else "",
    )


def _trouble(info: RunInfo, events: Sequence[Event]) -> None:
    """What went wrong: warnings, every step that failed, why others did not run."""
    told: set[str] = set()
    lines: list[str] = []
    for event in events:
        step = str(event.get("step_id", ""))
        if event.get("event") == "step_progress" and event.get("warning"):
            lines.append(f"note:   {step}: {plain_line(str(event['warning']))}")
        elif event.get("event") == "step_error":
            told.add(step)
            lines.append(f"error:  the step {step} failed: {plain_line(str(event.get('message', '')))}")
            lines += [f"hint:   {plain_line(str(event['hint']))}"] if event.get("hint") else []
        elif event.get("event") == "step_skipped":
            lines.append(f"skip:   {step}: {plain_line(str(event.get('reason', '')))}")
    error = info.status.get("error") or {}
    if error and str(error.get("step")) not in told:
        where = f"the step {error['step']} failed: " if error.get("step") else ""
        lines.append(f"error:  {where}{plain_line(str(error.get('message', '')))}")
        lines += [f"hint:   {plain_line(str(error['hint']))}"] if error.get("hint") else []
    if info.state == "interrupted":
        lines.append("error:  the process that answered for the run is gone, and nobody wrote how it ended")
    if info.elsewhere:
        lines.append(f"hint:   it may go on elsewhere: osiris runs attach {info.id}, or runs cancel to end it")
    if lines:
        click.echo()
    for line in lines:
        click.echo(line)
