"""Drives one run on another machine, from here: prepares it, follows it, brings its files back, ends the machine."""

from __future__ import annotations

import contextlib
import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from osiris.core.error_taxonomy import OsirisError, describe
from osiris.core.files import cause as without_name
from osiris.core.files import read_error
from osiris.core.session_logging import SessionLogger
from osiris.execution.folder import FINAL_STATES, read_events, steps_by_events
from osiris.execution.known_tables import note_written
from osiris.execution.remote import protocol
from osiris.execution.remote.complete_files import writes_anywhere
from osiris.execution.remote.errors import ConnectionLost, MachineGone, NotConnected, NotPrepared, RemoteError, Stopped
from osiris.execution.remote.fetch import Fetcher
from osiris.execution.remote.install import Needs, install
from osiris.execution.remote.machine import Machine, Machines
from osiris.execution.remote.note import Note
from osiris.execution.remote.package import Package, SentFile, pack
from osiris.execution.remote.relay import Relay
from osiris.execution.remote.wire import Wire

_Answer = TypeVar("_Answer")
CREATE_SECONDS = 10.0
LOST_SECONDS = 90.0  # for so long a machine that does not answer is asked again
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
_SMALL = 2**20  # files up to here travel together
_PARCEL = 32 * 2**20
_OUTCOME = ("state", "error", "steps", "rows", "peak_memory")  # what a machine elsewhere says of the end, and no more


@dataclass
class Job:
    """A run that shall be carried out elsewhere."""

    manifest: Mapping[str, Any]
    root: Path
    run_dir: Path
    logger: SessionLogger
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    resume: Mapping[str, Any] | None = None


class Session:
    """One run on one machine. ``run`` and ``go_on`` say how it ended; the machine is gone then."""

    def __init__(
        self, job: Job, machines: Machines, on_temporary: Callable[[list[str]], None] = lambda paths: None
    ) -> None:
        """``on_temporary`` hears under which names files are kept here that are not whole yet."""
        self.job = job
        self.machines = machines
        self.package: Package | None = None
        self._on_temporary = on_temporary
        self._machine: Machine | None = None
        self._fetcher: Fetcher | None = None
        self._none_made = False  # certainly: whoever could make one was never reached
        self._asked = 0  # how often a machine was asked for: one whose answer was lost may be there, too
        self._cancel = threading.Event()
        self._abandon = threading.Event()
        self._python: list[str] = []
        self._state = threading.Lock()
        self.note = Note(job.run_dir)

    # -- what others say

    def cancel(self) -> None:
        """Ask the run to stop, in its own time."""
        self._cancel.set()

    def abandon(self) -> None:
        """End it now: the machine goes, whatever it does."""
        self._cancel.set()
        self._abandon.set()
        with self._state:
            machine = self._machine
        if machine is not None:
            with contextlib.suppress(RemoteError):
                machine.end()

    # -- the two ways through

    def run(self) -> dict[str, Any]:
        """Carry out the run; its outcome as a worker would say it."""
        return self._guarded(self._run)

    def go_on(self) -> dict[str, Any]:
        """Follow again a run whose host was lost; its outcome."""
        return self._guarded(self._go_on)

    def prepare(self) -> Package:
        """Look up what the run needs. Raises ConfigurationError or RemoteError."""
        if self.package is None:
            self.machines.check()
            job = self.job
            self.package = pack(
                job.manifest,
                root=job.root,
                run_id=job.run_dir.name,
                params=job.params,
                settings=job.settings,
                reaches=self.machines.reaches,
                resume=job.resume,
            )
            job.logger.hide(self.package.secrets)
        return self.package

    def _guarded(self, way: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return way()
        except Stopped:
            return {"outcome": self._failure({"message": "The run was stopped."}), "broken": True}
        except OsirisError as error:
            problem = {"code": error.code, "message": error.message, "hint": error.hint}
            return {"outcome": self._failure({k: v for k, v in problem.items() if v is not None}), "broken": True}
        except Exception as error:  # noqa: BLE001 - whatever it is, the machine must go and the user must hear of it
            problem = {"code": "OML610", "message": f"Osiris itself failed: {describe(error)}"}
            return {"outcome": self._failure(problem), "broken": True}
        finally:
            self._end()

    def _run(self) -> dict[str, Any]:
        package = self.prepare()
        size = sum(file.size for file in package.files)
        limit = self.machines.max_download
        self.job.logger.log_event("remote_prepare", {"files": len(package.files), "bytes": size, "max_download": limit})
        self._stop_if_wanted()
        fetcher = self._new_fetcher(package.outputs, package.files)
        machine = self._create()
        self.job.logger.log_event("remote_start", {"machine": machine.id})
        with self._kept(machine):
            self._python = self._again(
                lambda: install(machine, self.machines.interpreters, Needs.of(package.components))
            )
            self._stop_if_wanted()
            self._send_files(machine, package.files)
            self._stop_if_wanted()
            pid = self._start(machine, package)
            self.note.write(
                phase="running", pid=pid, python=self._python, outputs=package.outputs,
                sent=[[file.path, file.size, file.sha256, list(file.stamp)] for file in package.files],
            )  # fmt: skip
            return self._follow(machine, pid, Relay(self.job.logger), fetcher)

    def _go_on(self) -> dict[str, Any]:
        self.machines.check()
        known = self.note.read()
        if known.get("machine") is None or known.get("phase") != "running":
            with contextlib.suppress(RemoteError):
                if known.get("machine") is not None:
                    self._machine = self.machines.find(known["machine"])
            raise MachineGone(
                "This machine stopped answering for the run before it had begun elsewhere; nothing was carried out.",
                hint="Run it again.",
            )
        sent = [SentFile(path, self.job.root / path, size, digest, (stamp[0], stamp[1]))
                for path, size, digest, stamp in known["sent"]]  # fmt: skip
        fetcher = self._new_fetcher(known["outputs"], sent)
        machine = self._again(lambda: self.machines.find(known["machine"]))
        with self._state:
            self._machine = machine
        self._python = list(known["python"])
        relay = Relay(self.job.logger, float(known.get("skew", 0)))  # mends the end of the log first
        self.job.logger.log_event("remote_reconnect", {"machine": machine.id})
        with self._kept(machine):
            return self._follow(machine, int(known["pid"]), relay, fetcher)

    # -- preparing

    def _create(self) -> Machine:
        self.note.write(target=self.machines.name, root=str(self.job.root), phase="preparing")
        self._none_made = True
        machine = self._again(self._asked_for, CREATE_SECONDS)
        with self._state:
            self._machine = machine
        self.note.write(machine=self.machines.note(machine))
        self._stop_if_wanted()
        return machine

    def _asked_for(self) -> Machine:
        self._asked += 1
        none_made, self._none_made = self._none_made, False
        try:
            return self.machines.create(self.job.run_dir.name)
        except NotConnected:
            self._none_made = none_made
            raise

    def _send_files(self, machine: Machine, files: Sequence[SentFile]) -> None:
        home = f"{machine.home}/{protocol.PROJECT}"
        small = [file for file in files if file.size <= _SMALL]
        for file in files:
            if file.size > _SMALL:
                self._stop_if_wanted()
                self._again(partial(machine.put, f"{home}/{file.path}", file.source))
        while small:
            parcel, small = _parcel(small)
            place = f"{machine.home}/{protocol.PARCEL}"
            self._stop_if_wanted()
            self._again(partial(machine.put, place, parcel))
            command = [*self._python, "osiris.execution.remote.errands", "unpack", place, home]
            ran = self._again(partial(machine.run, command))
            if ran.code != 0:
                raise NotPrepared(f"The files of the run could not be unpacked elsewhere: {ran.err.strip()[-300:]}")

    def _start(self, machine: Machine, package: Package) -> int:
        """Start the worker there. It is not tried again: nobody would know whether two of them run."""
        command = [*self._python, "osiris.execution.remote.agent", machine.home]
        ran = machine.run(command, given=protocol.line(package.request))
        try:
            return int(ran.out.strip().splitlines()[-1])
        except (ValueError, IndexError):
            said = (ran.err or ran.out).strip()[-500:] or "it says nothing"
            raise NotPrepared(f"The worker did not start on the other machine: {said}") from None

    # -- following

    def _new_fetcher(self, outputs: Mapping[str, Sequence[str]], sent: Sequence[SentFile]) -> Fetcher:
        job = self.job
        anywhere = writes_anywhere(job.manifest)
        self._fetcher = Fetcher(job.root, job.run_dir, outputs, sent, self.machines.max_download, anywhere=anywhere)
        self._on_temporary(self._fetcher.parts())
        return self._fetcher

    def _follow(self, machine: Machine, pid: int, relay: Relay, fetcher: Fetcher) -> dict[str, Any]:
        wire = Wire(machine, [*self._python, "osiris.execution.remote.errands", "follow"], pid)
        told_to_stop = False
        try:
            while True:
                if self._abandon.is_set():
                    raise Stopped
                if self._cancel.is_set() and not told_to_stop:
                    told_to_stop = True
                    self._again(lambda: machine.put(f"{machine.home}/{protocol.CANCEL}", b"x"))
                for message in wire.messages(self._again):
                    end = self._hear(message, machine, relay, fetcher)
                    if end is not None:
                        return end
                if wire.over:
                    return {"died": "it ended on the other machine without a word"}
        finally:
            wire.close()

    def _hear(self, message: dict[str, Any], machine: Machine, relay: Relay, fetcher: Fetcher) -> dict[str, Any] | None:
        """Do what a message asks for; how the run ended, if it is the last one."""
        kind = message["kind"]
        if kind == protocol.HELLO:
            self.note.write(skew=relay.hello(float(message["time"])))
        elif kind in (protocol.EVENT, protocol.METRIC):
            record = message["record"]
            if record.get("event") == "step_complete":
                self._note_written(record.get("step_id"))
            relay.take(kind, record)
            if record.get("event") == "step_commit" and not record.get("repeatable"):
                relay.sync()
                number = str(message["n"]).encode()
                self._again(lambda: machine.put(f"{machine.home}/{protocol.KEPT}", number))
        elif kind == protocol.FILE and relay.behind:
            fetcher.came_before(message)
        elif kind == protocol.FILE:
            fetcher.fetch(machine, self._python, message, self._again)
        elif kind == protocol.END:
            end: dict[str, Any] = {key: message[key] for key in ("outcome", "broken", "died") if key in message}
            if "died" in end:
                return {"died": str(end["died"])}
            if not _is_outcome(end.get("outcome")):
                return {"died": "it did not say how it ended"}
            return {**end, "outcome": {key: end["outcome"][key] for key in _OUTCOME if key in end["outcome"]}}
        return None

    def _note_written(self, step_id: object) -> None:
        """What is known here of a table is no longer sure; the machine there knows nothing of what is known here."""
        for step in self.job.manifest["steps"]:
            if step["id"] == step_id:
                note_written(step, step.get("config") or {}, self.job.root)

    # -- staying in touch

    def _again(self, ask: Callable[[], _Answer], patience: float | None = None) -> _Answer:
        """The answer of the other machine, asked again for a while when it is not heard."""
        begun, attempt = time.monotonic(), 0
        while True:
            try:
                return ask()
            except ConnectionLost as lost:
                if self._abandon.is_set():
                    raise Stopped from lost
                if time.monotonic() - begun > (LOST_SECONDS if patience is None else patience):
                    raise lost if patience is not None else self._given_up(lost) from None
            self._abandon.wait(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1

    def _given_up(self, lost: ConnectionLost) -> ConnectionLost:
        return ConnectionLost(
            f"The connection to the other machine was lost and did not come back within {LOST_SECONDS:g} s. "
            f"{lost.message}",
            hint="Look at the network of this machine, then run it again; what is done already stays done with "
            f"osiris run --resume {self.job.run_dir.name}",
        )

    @contextlib.contextmanager
    def _kept(self, machine: Machine) -> Iterator[None]:
        """Inside the block the machine hears now and then that it is needed."""
        over = threading.Event()

        def keep() -> None:
            while not over.wait(self.machines.keep_seconds):
                with contextlib.suppress(RemoteError):
                    machine.keep()

        threading.Thread(target=keep, daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def _stop_if_wanted(self) -> None:
        if self._cancel.is_set():
            raise Stopped

    def _end(self) -> None:
        """End the machine; where it is not at hand, whatever was made for the run. No part of a file is left here."""
        if self._fetcher is not None:
            self._fetcher.remove_parts()
        with self._state:
            machine, self._machine = self._machine, None
        phase = self.note.read().get("phase")
        try:
            if machine is not None:
                self._within(machine.end)
            if not self._none_made and (self._asked > 1 or (machine is None and phase in ("preparing", "running"))):
                self._within(lambda: self.machines.end_all(self.job.run_dir.name))
        except MachineGone:
            pass
        except RemoteError:
            return  # the note goes on to say that there may be one; its own time limit is the last resort
        if phase is not None:
            self.note.write(phase="ended")

    @staticmethod
    def _within(end: Callable[[], None]) -> None:
        for pause in (0.2, 1.0, 3.0, None):
            try:
                end()
                return
            except ConnectionLost:
                if pause is None:
                    raise
                time.sleep(pause)

    def _failure(self, problem: dict[str, Any]) -> dict[str, Any]:
        blank = [{"id": step["id"], "state": "pending"} for step in self.job.manifest.get("steps") or []]
        steps, running = steps_by_events(blank, read_events(self.job.run_dir))
        for step in steps:
            if step["state"] in ("running", "pending"):
                step["state"] = "failed" if step["id"] in running else "skipped"
        return {"state": "failed", "error": problem, "steps": steps, "rows": {}}


def _is_outcome(told: object) -> bool:
    """Whether it is what status.json may hold."""
    return (
        isinstance(told, dict)
        and told.get("state") in FINAL_STATES
        and isinstance(told.get("steps"), list)
        and all(isinstance(step, dict) and "id" in step and "state" in step for step in told["steps"])
        and isinstance(told.get("error"), dict | None)
        and isinstance(told.get("rows"), dict)
    )


def _parcel(files: list[SentFile]) -> tuple[bytes, list[SentFile]]:
    """Small files as one archive, as many as go into it, and the others."""
    held, size = io.BytesIO(), 0
    with tarfile.open(fileobj=held, mode="w") as archive:
        for index, file in enumerate(files):
            if size > _PARCEL:
                return _closed(archive, held), files[index:]
            try:
                content = file.source.read_bytes()
            except OSError as error:
                raise read_error(file.source, error) from without_name(error)
            about = tarfile.TarInfo(file.path)
            about.size, about.mode = len(content), 0o644
            archive.addfile(about, io.BytesIO(content))
            size += len(content) + 512
    return held.getvalue(), []


def _closed(archive: tarfile.TarFile, held: io.BytesIO) -> bytes:
    archive.close()
    return held.getvalue()
