"""Carries out one run on the other machine: ``python -m osiris.execution.remote.agent FOLDER``.

It reads one request from its standard input, and from then on depends on nobody: it goes on when the connection, or the
host, is lost. The work is done by the same worker process as on any machine; this one tells what happens, cancels, and
says which files are complete.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osiris import __version__
from osiris.core.error_taxonomy import describe
from osiris.core.files import write_all
from osiris.core.manifest import MANIFEST_NAME
from osiris.core.secrets_masking import Masker
from osiris.core.session_logging import EVENTS_FILE, METRICS_FILE
from osiris.execution.process import Worker, working_folder
from osiris.execution.remote import protocol
from osiris.execution.remote.complete_files import CompleteFiles, digest_of
from osiris.execution.remote.kept import WRITTEN
from osiris.execution.worker import GRACE_SECONDS

_POLL_SECONDS = 0.05


def main() -> None:
    """Take the request, answer with the id of the process that goes on with it, and carry out the run."""
    folder = Path(sys.argv[1])
    request = json.loads(sys.stdin.buffer.readline())
    if request.get("protocol") != protocol.PROTOCOL:
        sys.exit(f"this is version {protocol.PROTOCOL} of the protocol, not {request.get('protocol')}")
    (folder / protocol.WIRE).touch(mode=0o600)
    child = os.fork()
    if child:
        (folder / protocol.PID).write_text(str(child))
        os.write(1, b"%d\n" % child)
        os._exit(0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    Agent(folder, request, Worker()).run()
    os._exit(0)


class _Tail:
    """The whole lines that were added to a file since the last look."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._rest = b""

    def lines(self) -> Iterator[dict[str, Any]]:
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):  # one that a full disk has torn
                record = json.loads(line)
                if isinstance(record, dict):
                    record.pop("session", None)
                    yield record


class Agent:
    """One run, from its request to its last message."""

    def __init__(self, folder: Path, request: dict[str, Any], worker: Worker) -> None:
        self.request = request
        self.root = folder / protocol.PROJECT
        self.run_dir = folder / protocol.LOGS / str(request["run_id"])
        self._folder = folder
        self._worker = worker
        self._wire = os.open(folder / protocol.WIRE, os.O_WRONLY | os.O_APPEND)
        self._number = 0
        self._events: list[int] = []  # the numbers of the messages that were events
        self._told = time.monotonic()
        self._messages: list[dict[str, Any]] = []
        self._over = threading.Event()

    def say(self, kind: str, **body: Any) -> None:
        """Append a message for the host."""
        self._number += 1
        self._told = time.monotonic()
        if kind == protocol.EVENT:
            self._events.append(self._number)
        write_all(self._wire, protocol.line({"n": self._number, "kind": kind, **body}))

    def run(self) -> None:
        """Carry out the run; whatever happens, the last message says how it ended."""
        try:
            self.say(
                protocol.HELLO,
                protocol=protocol.PROTOCOL,
                osiris=__version__,
                python=platform.python_version(),
                time=round(time.time(), 3),
            )
            end = self._carry_out()
        except Exception as error:  # noqa: BLE001 - the host must hear of it, whatever it is
            self._worker.kill()
            problem = {"code": "OML610", "message": f"Osiris itself failed: {describe(error, self._masker())}"}
            end = {"outcome": _failed(self.request, problem), "broken": True}
        self.say(protocol.END, **end)

    def _masker(self) -> Masker:
        connections = self.request["connections"].values()
        hidden = [secret for connection in connections for secret in connection["secrets"]]
        return Masker([*hidden, *map(str, self.request["params"].values())])

    def _carry_out(self) -> dict[str, Any]:
        if (wrong := self._wrong_file()) is not None:
            return {"outcome": _failed(self.request, wrong)}
        self._lay_out()
        files = CompleteFiles(self.root, self.request)
        tails = [_Tail(self.run_dir / name) for name in (EVENTS_FILE, METRICS_FILE)]
        self._worker.channel.send(self._work())
        threading.Thread(target=self._listen, daemon=True).start()
        self._watch(tails, files)
        self._relay(tails, files)
        if not self._worker.wait(GRACE_SECONDS):
            self._worker.kill()
        if not self._messages:
            return {"died": self._worker.ended_how()}
        for found in (*files.at_the_end(), *files.of_run(self.run_dir)):
            self.say(protocol.FILE, **found)
        return {key: value for key, value in self._messages[-1].items() if key in ("outcome", "broken")}

    def _wrong_file(self) -> dict[str, Any] | None:
        for file in self.request["files"]:
            path = self.root / file["path"]
            if not path.is_file() or path.stat().st_size != file["size"] or digest_of(path) != file["sha256"]:
                return {
                    "code": "OML637",
                    "message": f"The file {file['path']} did not arrive whole.",
                    "hint": "Run it again.",
                }
        return None

    def _lay_out(self) -> None:
        self.run_dir.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.root.mkdir(exist_ok=True)
        (self.run_dir / MANIFEST_NAME).write_text(json.dumps(self.request["manifest"]))
        for name in (EVENTS_FILE, METRICS_FILE):
            (self.run_dir / name).touch(mode=0o600)
        journal = "true" if self.request["settings"]["journal"] else "false"
        (self.root / "osiris.yaml").write_text(f"runs:\n  journal: {journal}\n")
        working_folder(self.root)

    def _work(self) -> dict[str, Any]:
        settings, resume = self.request["settings"], self.request["resume"]
        if resume is not None:
            resume = {**resume, "left": {step: str(self.root / path) for step, path in resume["left"].items()}}
        return {
            "run_dir": str(self.run_dir),
            "root": str(self.root),
            "params": self.request["params"],
            "connections": self.request["connections"],
            "memory": settings["memory"],
            "parallel": settings["parallel"],
            "deterministic": settings["deterministic"],
            "resume": resume,
            "cache": False,
            "elsewhere": {"outputs": self.request["outputs"]},
        }

    def _listen(self) -> None:
        while (message := self._worker.channel.receive()) is not None:
            if "outcome" in message:
                self._messages.append(message)
                break
        self._over.set()

    def _watch(self, tails: list[_Tail], files: CompleteFiles) -> None:
        """Tell what happens until the worker is done, and tell the worker what the host says."""
        cancelled, kept = False, 0
        while not self._over.wait(_POLL_SECONDS):
            self._relay(tails, files)
            if not cancelled and (self._folder / protocol.CANCEL).exists():
                cancelled = True
                self._worker.channel.send({"cancel": True})
            if (now := self._kept()) > kept:
                kept = now
                self._worker.channel.send({"kept": len([number for number in self._events if number <= kept])})
            if time.monotonic() - self._told > protocol.ALIVE_SECONDS:
                self.say(protocol.ALIVE, time=round(time.time(), 3))

    def _kept(self) -> int:
        try:
            return int((self._folder / protocol.KEPT).read_text())
        except (OSError, ValueError):  # not yet, or half of it
            return 0

    def _relay(self, tails: list[_Tail], files: CompleteFiles) -> None:
        for kind, tail in zip((protocol.EVENT, protocol.METRIC), tails, strict=True):
            for record in tail.lines():
                if kind == protocol.EVENT and record.get("event") in WRITTEN:
                    for found in files.of_step(str(record.get("step_id"))):
                        self.say(protocol.FILE, **found)
                self.say(kind, record=record)


def _failed(request: dict[str, Any], problem: dict[str, Any]) -> dict[str, Any]:
    steps = [{"id": step["id"], "state": "skipped"} for step in request["manifest"].get("steps") or [] if "id" in step]
    return {"state": "failed", "error": problem, "steps": steps, "rows": {}}


if __name__ == "__main__":
    main()
