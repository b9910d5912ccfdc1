"""A run's folder: what stands in it, and what its state is."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ExecutionError
from osiris.core.files import atomic_write, cause, explain_os_error, private_folder, write_error
from osiris.core.manifest import MANIFEST_NAME, manifest_bytes
from osiris.core.session_logging import EVENTS_FILE, METRICS_FILE, timestamp
from osiris.execution.lock import FileLock, is_locked
from osiris.execution.ulid import new_run_id

STATUS_FILE = "status.json"
LOCK_FILE = "lock"
CANCEL_FILE = "cancel"
UNBORN = ".new-"  # what the name of a run's folder begins with before it is complete
GONE = ".gone-"  # what it begins with while the run is being removed
FINAL_STATES = ("succeeded", "failed", "cancelled")
_STEP_STATES = {
    "step_start": "running",
    "step_complete": "succeeded",
    "step_error": "failed",
    "step_skipped": "skipped",
}
FINAL_EVENTS = {"succeeded": "run_complete", "failed": "run_error", "cancelled": "run_cancelled"}


class RunFolder:
    """The folder of a run that this process owns: it holds the lock and writes the status."""

    def __init__(self, path: Path, lock: FileLock, status: dict[str, Any]) -> None:
        self.path = path
        self.run_id = path.name
        self._lock = lock
        self.status = status

    @classmethod
    def create(cls, logs_dir: Path, manifest: Mapping[str, Any], head: Mapping[str, Any]) -> RunFolder:
        """Make the folder of a new run, locked, with its manifest. Raises ExecutionError, CompilationError."""
        data = manifest_bytes(manifest)
        make_logs_folder(logs_dir)
        run_id = new_run_id()
        # Under another name first: nobody ever sees a run that is not locked yet and take it for an interrupted one.
        hidden = private_folder(logs_dir / f"{UNBORN}{run_id}")
        lock = FileLock(hidden / LOCK_FILE)
        try:
            lock.acquire(wait=True)
            steps = [{"id": step["id"], "state": "pending"} for step in manifest.get("steps") or [] if "id" in step]
            status = {"run_id": run_id, **head, **_origin(manifest), "state": "queued", "queued": timestamp()}
            status["steps"] = steps
            atomic_write(hidden / MANIFEST_NAME, data, private=True)
            folder = cls(hidden, lock, status)
            folder.run_id = run_id
            folder.write_status({})
            for name in (EVENTS_FILE, METRICS_FILE):
                (hidden / name).touch(mode=0o600)
            folder.path = hidden.rename(logs_dir / run_id)
        except BaseException as error:
            lock.release()
            shutil.rmtree(hidden, ignore_errors=True)
            if isinstance(error, OSError):
                raise write_error(logs_dir / run_id, error) from cause(error)
            raise
        return folder

    def write_status(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change the status and write it, so that a reader sees the old one or the new one."""
        self.status.update(changes)
        atomic_write(
            self.path / STATUS_FILE,
            json.dumps(self.status, ensure_ascii=False, indent=2).encode() + b"\n",
            private=True,
        )
        return dict(self.status)

    def cancel_wanted(self) -> bool:
        """Whether somebody asked for the run to be cancelled."""
        return (self.path / CANCEL_FILE).exists()

    def steps_so_far(self) -> tuple[list[dict[str, Any]], list[str]]:
        """What the events say about each step, and those that were started and have not ended."""
        return steps_by_events(self.status["steps"], read_events(self.path))

    def release(self) -> None:
        """Give the lock back; the run is over."""
        self._lock.release()


def _origin(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a run says of its manifest: the fingerprint of the OML that it was made from, and how far it goes."""
    fingerprints = manifest.get("fingerprints")
    oml = fingerprints.get("oml") if isinstance(fingerprints, Mapping) else None
    told = {"to": manifest.get("to"), "oml_fingerprint": oml}
    return {key: value for key, value in told.items() if value is not None}


def make_logs_folder(logs_dir: Path) -> Path:
    """Make the folder of the runs when it is missing. Raises ExecutionError when it cannot be written to."""
    reason = None
    try:
        logs_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = explain_os_error(error)[0]
    if reason is None and not os.access(logs_dir, os.W_OK | os.X_OK):
        reason = "permission denied"
    if reason is not None:
        raise ExecutionError(
            f"Cannot write to the folder of the runs, {logs_dir}: {reason}.",
            hint="Choose another one: --logs-dir DIR, OSIRIS_LOGS_DIR, or runs.logs_dir in osiris.yaml.",
        )
    return logs_dir


def steps_by_events(
    steps: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """The steps of a status as its events tell them, and those that were started and have not ended.

    Of steps that are computed together only the last one counts as running: that is where the work is done.
    """
    working: dict[object, str] = {}
    told = {str(step.get("id")): dict(step) for step in steps}
    for event in events:
        step = told.get(str(event.get("step_id")))
        state = _STEP_STATES.get(str(event.get("event")))
        if step is None or state is None:
            continue
        step["state"] = state
        if state == "running":
            working[event.get("segment", step["id"])] = str(step["id"])
        else:
            step |= {key: event[key] for key in ("duration", "rows", "bytes") if key in event}
    return list(told.values()), [name for name in working.values() if told[name]["state"] == "running"]


def read_status(path: Path) -> dict[str, Any] | None:
    """The status in a run's folder, None when there is none that can be read."""
    try:
        status = json.loads((path / STATUS_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return status if isinstance(status, dict) else None


def state_of(path: Path, status: Mapping[str, Any] | None = None) -> str:
    """The state of the run in ``path``: that of its status, or ``interrupted`` when nobody answers for it any more."""
    status = read_status(path) if status is None else status
    state = str(status.get("state")) if status is not None else "queued"
    if state in FINAL_STATES:
        return state
    if is_locked(path / LOCK_FILE):
        return state
    # It may have ended between the two looks: the status is written before the lock is given back.
    again = read_status(path)
    state = str(again.get("state")) if again is not None else ""
    return state if state in FINAL_STATES else "interrupted"


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The events that are written so far; a line that is not whole yet is left out."""
    try:
        with (path / EVENTS_FILE).open("rb") as file:
            for line in file:
                event = _event(line)
                if event is not None:
                    yield event
    except OSError:
        return


class EventTail:
    """The events of a run as they are written. A line that is not whole yet is kept for the next look."""

    def __init__(self, path: Path) -> None:
        """``path``: the run's folder, which may go away at any time."""
        self._path = path / EVENTS_FILE
        self._position = 0
        self._rest = b""

    def read(self) -> list[dict[str, Any]]:
        """What is new since the last look."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._position)
                data = file.read()
        except OSError:
            return []
        self._position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [event for line in lines if (event := _event(line + b"\n")) is not None]


def ends_run(event: Mapping[str, Any]) -> bool:
    """Whether this is the last event of its run."""
    return event.get("event") in FINAL_EVENTS.values()


def follow_events(path: Path, poll_seconds: float = 0.05) -> Iterator[dict[str, Any]]:
    """The events of a run as they happen, from the first one to the final one, then it ends.

    It also ends when the run is found interrupted. Works from any process, before and after the end of the run.
    """
    tail, last_look = EventTail(path), False
    while True:
        found = tail.read()
        for event in found:
            yield event
            if ends_run(event):
                return
        if found:
            continue
        if last_look:
            return
        last_look = state_of(path) in (*FINAL_STATES, "interrupted") and not is_locked(path / LOCK_FILE)
        if not last_look:
            time.sleep(poll_seconds)


def _event(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None  # a line torn by a full disk
    return event if isinstance(event, dict) and "event" in event else None
