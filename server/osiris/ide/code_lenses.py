"""Lines above the pipeline and above its steps: what can be run, and how it went the last time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from osiris.language.model import first_line
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis

LensKind = Literal["run", "compile", "last", "run_to", "last_step"]

_MARKS = {"succeeded": "✓", "failed": "✗", "cancelled": "⊘", "interrupted": "⊘", "running": "…", "queued": "…"}
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Lens:
    """A place above which something is offered or said; ``step`` is the id of the step that it is about."""

    span: Span
    kind: LensKind
    step: str | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step: its state, its rows and seconds where they are known."""

    state: str
    rows: int | None = None
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """The last run of a pipeline.

    ``state`` as in ``RunStore``; ``at`` is when it ended (or began, while it goes on), in seconds since 1970.
    ``failed_step``: the step that failed, if one did. ``to``: the step that it was to go to, if not to the end.
    """

    id: str
    state: str
    at: float | None = None
    duration: float | None = None
    failed_step: str | None = None
    to: str | None = None
    profile: str | None = None
    steps: Mapping[str, StepResult] = field(default_factory=dict)


def lenses(analysis: Analysis, last: RunResult | None) -> Iterator[Lens]:
    """The lenses of a pipeline that is a file; those of results only where there is one."""
    steps = analysis.pipeline.steps
    if steps:
        top = analysis.pipeline.entry("name") or analysis.pipeline.top[0]
        yield Lens(top.key, "run")
        yield Lens(top.key, "compile")
        if last is not None:
            yield Lens(top.key, "last")
    for step in steps:
        if step.id is None or analysis.graph.by_id.get(step.id) != step.index:
            continue
        span = first_line(analysis.document.text, step.anchor)
        yield Lens(span, "run_to", step.id)
        if last is not None and (result := last.steps.get(step.id)) is not None and step_title(result):
            yield Lens(span, "last_step", step.id)


def run_title(run: RunResult, now: float, *, changed: bool) -> str:
    """``✓ 2 min ago, 3.1 s``; ``changed``: the pipeline means something else since then."""
    ago = f"{_ago(now - run.at)}" if run.at is not None else ""
    match run.state:
        case "succeeded":
            said = ago
        case "failed":
            said = f"failed at {_short(run.failed_step)}" if run.failed_step else "failed"
            said += f" {ago}" if ago else ""
        case "running":
            said = "running"
        case "queued":
            said = "waits for its turn"
        case _:
            said = f"{run.state} {ago}".rstrip()
    parts = [f"{_MARKS.get(run.state, '')} {said}".strip()]
    if run.duration is not None and run.state in ("succeeded", "failed"):
        parts.append(seconds(run.duration))
    if run.to is not None:
        parts.append(f"only to {_short(run.to)}")
    if run.profile is not None:
        parts.append(f"profile {_short(run.profile)}")
    if changed:
        parts.append("changed since")
    return ", ".join(parts)


def step_title(step: StepResult) -> str:
    """``✓ 354 rows, 0.54 s``; empty while nothing is to be said."""
    facts = []
    if step.rows is not None:
        facts.append(f"{step.rows:,} row{'' if step.rows == 1 else 's'}")
    if step.duration is not None:
        facts.append(seconds(step.duration))
    match step.state:
        case "succeeded":
            return f"✓ {', '.join(facts)}".rstrip()
        case "failed":
            return "✗ failed"
        case "skipped" | "cancelled":
            return f"⊘ {step.state}"
    return ""


def seconds(duration: float) -> str:
    """Seconds as people read them: ``0.004 s``, ``0.42 s``, ``12.3 s``, ``2 min 5 s``."""
    if duration >= 60:
        whole = round(duration)
        return f"{whole // 60} min {whole % 60} s"
    digits = 1 if duration >= 10 else 2 if duration >= 0.01 else 3
    return f"{duration:.{digits}f} s"


def _ago(passed: float) -> str:
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "min")):
        if passed >= size:
            count = int(passed // size)
            return f"{count} {unit}{'s' if count > 1 and unit != 'min' else ''} ago"
    return "just now"


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"
