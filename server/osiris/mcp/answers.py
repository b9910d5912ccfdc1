"""Answers for agents: data that may come from databases and files is fenced, and no longer than they can take in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from osiris.core.agent.fence import fenced
from osiris.core.checked_files import CheckedFile, findings_as_data

_MOST_FINDINGS = 100
_MOST_CHARACTERS = 25_000  # of findings, so that they stay whole
_LONGEST_CELL = 500  # and message
_LONGEST_FIX = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent is told. ``ok``: what it asked for was done."""

    text: str
    ok: bool = True


def report(files: list[CheckedFile]) -> dict[str, Any]:
    """What ``osiris validate --format json`` prints, as much as an agent can take in, and whether there is an error."""
    found = [_in_short(finding) for finding in findings_as_data(files)]
    shown = found[:_MOST_FINDINGS]
    while len(shown) > 1 and len(json.dumps(shown, ensure_ascii=False)) > _MOST_CHARACTERS:
        shown = shown[: len(shown) // 2]
    told: dict[str, Any] = {"ok": not any(file.has_errors for file in files), "findings": shown}
    if len(found) > len(shown):
        told["more"] = len(found) - len(shown)
    return told


def _in_short(finding: dict[str, Any]) -> dict[str, Any]:
    """The finding, of which a name in it may be as long as the file."""
    fixes = [fix for fix in finding["fixes"] if len(json.dumps(fix, ensure_ascii=False)) <= _LONGEST_FIX]
    return {**finding, "message": _cell(finding["message"]), "fixes": fixes}


def rows_as_data(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> dict[str, Any]:
    """A table as plain data; long cells are cut."""
    return {"columns": list(columns), "rows": [[_cell(cell) for cell in row] for row in rows]}


def _cell(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST_CELL:
        return f"{value[:_LONGEST_CELL]}…"
    return value


def told(data: Mapping[str, Any], *, ok: bool = True) -> Answer:
    """Data for the agent. What stands in it may come from databases and files, so it is fenced."""
    return Answer(fenced(json.dumps(data, ensure_ascii=False, default=str)), ok)
