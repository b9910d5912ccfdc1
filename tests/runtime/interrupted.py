"""Runs as they look when they were killed at a certain point."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def cut_after(path: Path, event: str, step: str) -> None:
    """Make the run in the folder ``path`` one that was killed right after this event of this step."""
    lines = (path / "events.jsonl").read_text().splitlines(keepends=True)
    told: list[dict[str, Any]] = [json.loads(line) for line in lines]
    last = next(i for i, found in enumerate(told) if (found["event"], found.get("step_id")) == (event, step))
    (path / "events.jsonl").write_text("".join(lines[: last + 1]))
    status = json.loads((path / "status.json").read_text())
    for name in ("finished", "duration", "error", "rows"):
        status.pop(name, None)
    states = {found["step_id"] for found in told[: last + 1] if found["event"] == "step_complete"}
    steps = [
        {"id": one["id"], "state": "succeeded" if one["id"] in states else "pending"} for one in status.get("steps", ())
    ]
    (path / "status.json").write_text(json.dumps({**status, "state": "running", "steps": steps}))
