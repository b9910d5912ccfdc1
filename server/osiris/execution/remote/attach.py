"""Taking up a run again that goes on elsewhere, after whoever answered for it on this machine is gone."""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.core.secrets_masking import Masker
from osiris.core.session_logging import SessionLogger
from osiris.execution.folder import FINAL_STATES, LOCK_FILE, RunFolder, read_status
from osiris.execution.lock import FileLock, locks_folder
from osiris.execution.process import WorkerLike, start_detached
from osiris.execution.queue import Turn
from osiris.execution.remote.errors import MachineGone, RemoteError
from osiris.execution.remote.machine import Machines
from osiris.execution.remote.note import Note
from osiris.execution.remote.targets import machines_of, manifest_of, remote_worker
from osiris.execution.supervisor import Request, Supervisor

if TYPE_CHECKING:
    from osiris.execution.runs import RunInfo


def attach(run: RunInfo) -> None:
    """Leave a run that goes on elsewhere to a new process, which depends on nobody.

    Raises ConfigurationError when it does not go on elsewhere, or somebody follows it; RemoteError when the target is
    not set up here.
    """
    known = Note(run.path).read()
    if run.active:
        raise ConfigurationError(f"{run.id} is {run.state}, and followed.", hint=f"osiris runs follow {run.id}")
    if not run.elsewhere:
        hint = f"Go on where it stopped: osiris run --resume {run.id}" if run.state != "succeeded" else None
        raise ConfigurationError(f"{run.id} is {run.state}: it does not go on anywhere.", hint=hint)
    _require_reachable(run.id, machines_of(str(known["target"])), known)
    request = Request(
        manifest=manifest_of(run.path),
        root=Path(known["root"]),
        logs_dir=run.path.parent.absolute(),
        target=str(known["target"]),
        attach=run.id,
    )
    answer = start_detached("osiris.execution.supervisor", request.plain())
    if "run_id" not in answer:
        raise ConfigurationError(answer["error"], hint=answer.get("hint"))


def _require_reachable(run_id: str, machines: Machines, known: Mapping[str, Any]) -> None:
    """Raise RemoteError when nobody can be asked now: the run stays as it is, to be taken up later."""
    machines.check()
    if "machine" not in known:
        return
    try:
        machines.find(known["machine"])
    except MachineGone:
        return  # the run is over, and whoever takes it up says so
    except RemoteError as error:
        hint = f"{error.hint or ''} {run_id} stays as it is until then.".strip()
        raise type(error)(error.message, code=error.code, hint=hint) from None


def end_left_machine(run: RunInfo) -> None:
    """End the machine of a run that is over here, and that could not be told so.

    Where nobody answers, its own time limit must do; no row is doubled by it: whoever adds rows waits for this machine.
    """
    note = Note(run.path)
    if not note.unfinished or run.active or run.elsewhere:
        return
    with contextlib.suppress(OsirisError):
        machines = machines_of(str(note.read()["target"]))
        machines.check()
        machines.end_all(run.id)
        note.write(phase="ended")


class _OwnTurn(Turn):
    """The run had its turn already: it holds up others where it can, and waits for nobody."""

    def take(self) -> bool:
        """Now."""
        super().take()
        return True


class AttachedSupervisor(Supervisor):
    """Answers for a run that began under another supervisor."""

    def __init__(self, request: Request) -> None:
        """Take the lock of the run. Raises ConfigurationError when it has ended, or somebody else has it."""
        path = request.logs_dir / str(request.attach)
        lock = FileLock(path / LOCK_FILE)
        if not lock.acquire():
            raise ConfigurationError(f"{path.name} is followed already.", hint=f"osiris runs follow {path.name}")
        status = read_status(path)
        if status is None or status.get("state") in FINAL_STATES:
            lock.release()
            raise ConfigurationError(f"{path.name} is over.")
        self.request = request
        self.worker: WorkerLike | None = None
        self._cancelled = threading.Event()
        self._temporary: list[str] = []
        self._started: float | None = None
        self.head = {name: status.get(name) for name in ("pipeline", "profile", "target")}
        self.folder = RunFolder(path, lock, status)
        try:
            self.turn = _OwnTurn(locks_folder(request.root, request.logs_dir), self.head, "wait", request.max_parallel)
            self._masker = Masker()
            self.logger = SessionLogger(path, path.name, self._masker)
        except BaseException:
            lock.release()
            raise

    def _new_worker(self) -> WorkerLike:
        return remote_worker(self.request, self.folder.path, self.logger, attach=True)

    def _begun(self) -> float:
        """When the run began, under whoever it was."""
        try:
            return datetime.datetime.fromisoformat(str(self.folder.status.get("started"))).timestamp()
        except ValueError:
            return time.time()
