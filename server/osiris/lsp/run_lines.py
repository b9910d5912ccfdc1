"""Run events as lines and progress messages, for clients that do not take the events themselves."""

from __future__ import annotations

from typing import Any, Literal

Event = dict[str, Any]
Level = Literal["error", "warning", "info", "log"]


def line_of(event: Event) -> tuple[Level, str] | None:
    """The line for an event, None for events that only programs need."""
    step = event.get("step_id")
    match event.get("event"):
        case "run_queued":
            other = event.get("waits_for")
            return "info", f"the run waits for {other}" if other else "the run waits for its turn"
        case "run_start":
            folders = event.get("allowed_folders")
            outside = f"; it may touch {', '.join(map(str, folders))} outside the project" if folders else ""
            return "info", f"the run has started{outside}"
        case "remote_start" | "remote_reconnect":
            return "info", f"the run is on the machine {event.get('machine')}"
        case "step_start":
            return "info", f"{step}: started"
        case "step_progress" if event.get("warning"):
            return "warning", f"{step}: {event['warning']}"
        case "step_complete":
            return "info", f"{step}: done{_facts(event)}"
        case "step_retry":
            return "warning", f"{step}: trying again{_because(event)}"
        case "step_skipped":
            return "warning", f"{step}: skipped{_because(event)}"
        case "step_error":
            return "error", f"{step}: failed{_because(event)}"
        case "artifact_created":
            return "info", f"{step}: wrote {event.get('path') or event.get('name')}{_facts(event)}"
        case "run_complete":
            return "info", f"the run has succeeded{_facts(event)}"
        case "run_error":
            return "error", f"the run has failed{_because(event)}"
        case "run_cancelled":
            return "warning", "the run was cancelled"
    return None


def _facts(event: Event) -> str:
    parts = []
    if isinstance(rows := event.get("rows"), int):
        parts.append(f"{rows:,} row{'' if rows == 1 else 's'}")
    if isinstance(seconds := event.get("duration"), int | float):
        parts.append(f"{seconds:.2f} s")
    return f" ({', '.join(parts)})" if parts else ""


def _because(event: Event) -> str:
    reason = event.get("message") or event.get("error") or event.get("reason")
    return f": {reason}" if isinstance(reason, str) and reason else ""
