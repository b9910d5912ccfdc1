"""A machine elsewhere that is only a folder and processes of this one: what a target must be able to do, no more."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from osiris.execution.remote.errors import ConnectionLost, MachineGone, NotBroughtBack
from osiris.execution.remote.machine import Ran


class ProcessMachine:
    """Commands are processes in a folder of their own; ``end`` ends them and removes the folder."""

    def __init__(self, home: Path) -> None:
        self.home = str(home)
        self.id = home.name
        self.broken = 0  # so many of the next calls do not get through
        self.puts: list[str] = []
        self.gets: list[str] = []

    def _reach(self) -> None:
        if not Path(self.home).is_dir():
            raise MachineGone("The machine is gone.")
        if self.broken > 0:
            self.broken -= 1
            raise ConnectionLost("The line is dead.")

    def put(self, path: str, content: bytes | Path) -> None:
        self._reach()
        self.puts.append(path)
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.read_bytes())

    def get(self, path: str) -> bytes:
        self._reach()
        self.gets.append(path)
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            raise NotBroughtBack("There is no such file.") from None

    def run(self, command: Sequence[str], *, given: bytes | None = None, seconds: float = 60) -> Ran:
        self._reach()
        done = subprocess.run(
            list(command), input=given or b"", capture_output=True, timeout=seconds, cwd=self.home, check=False
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def stream(self, command: Sequence[str]) -> Iterator[bytes]:
        self._reach()
        with subprocess.Popen(list(command), stdout=subprocess.PIPE, cwd=self.home) as process:
            assert process.stdout is not None
            try:
                while data := process.stdout.read1(65_536):
                    yield data
            finally:
                process.kill()
        if not Path(self.home).is_dir():
            raise MachineGone("The machine is gone.")

    def keep(self) -> None:
        self._reach()

    def end(self) -> None:
        with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess):
            agent = psutil.Process(int(Path(self.home, "pid").read_text()))
            for process in [*agent.children(recursive=True), agent]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        subprocess.run(["rm", "-rf", self.home], check=True)


class ProcessMachines:
    """Makes such machines. ``made`` has them all; the last one can be looked at with ``machine``."""

    name = "process"
    interpreters = (sys.executable,)
    max_download = 10**9
    keep_seconds = 60.0

    def __init__(self, kind: type[ProcessMachine] = ProcessMachine) -> None:
        self.made: list[ProcessMachine] = []
        self._kind = kind

    @property
    def machine(self) -> ProcessMachine:
        return self.made[-1]

    def check(self) -> None:
        """Nothing is needed."""

    def create(self, run_id: str) -> ProcessMachine:
        self.made.append(self._kind(Path(tempfile.mkdtemp(prefix="elsewhere-"))))
        return self.machine

    def find(self, known: dict[str, Any]) -> ProcessMachine:
        return next(machine for machine in self.made if machine.home == known["home"])

    def note(self, machine: ProcessMachine) -> dict[str, Any]:
        return {"home": machine.home}

    def end_all(self, run_id: str) -> None:
        """None is made that does not become known."""

    def reaches(self, host: str) -> bool:
        return host != "db.intern"

    def running(self) -> list[str]:
        """Machines that were not ended."""
        return [machine.home for machine in self.made if Path(machine.home).exists()]
