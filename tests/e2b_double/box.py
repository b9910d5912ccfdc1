"""One sandbox: its disk, its processes, and the paths on it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from e2b_double.command import Command
from e2b_double.template import FIRST_PROCESS, PATH, Isolation, Template

_MOST_LINKS = 40


@dataclass
class Seen:
    """What could be seen in a sandbox while it ran: command lines, environments, and what was in files and their names.

    ``states`` are those of files that have been read, by path.
    """

    command_lines: set[bytes] = field(default_factory=set)
    environments: set[bytes] = field(default_factory=set)
    files: set[bytes] = field(default_factory=set)
    states: dict[str, tuple[int, int]] = field(default_factory=dict)


class Box:
    """A running sandbox; ``kill`` ends it with all its processes."""

    def __init__(self, folder: Path, template: Template, request: dict[str, Any], isolation: Isolation | None) -> None:
        """Start it: its first process is there when this returns.

        ``request`` is the body of the request that creates a sandbox. Raises RuntimeError when the system gives none.
        """
        self.id = "i" + uuid.uuid4().hex[:19]
        self.token = "tok-" + uuid.uuid4().hex
        self.template_name = request.get("templateID", "base")
        self.metadata: dict[str, str] = request.get("metadata") or {}
        self.envs: dict[str, str] = request.get("envVars") or {}
        self.started = time.time()
        self.deadline = self.started + (request.get("timeout") or 300)
        self.root = folder / self.id
        self.commands: dict[int, Command] = {}
        self.seen = Seen()
        self.alive = True
        self.ended_why: str | None = None
        self.streams: set[Any] = set()
        self.isolation = isolation
        self._template = template
        self._lock = threading.Lock()
        template.lay_out(self.root)
        self._first: subprocess.Popen[bytes] | None = None
        self._first_pid = 0
        if isolation is not None:
            self._start_first_process(isolation)

    def _start_first_process(self, isolation: Isolation) -> None:
        shown = [str(path) for path in self._template.shown]
        self._first = subprocess.Popen(
            [*isolation.outside, "bash", "-c", FIRST_PROCESS, "bash", str(self.root), *shown],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        assert self._first.stdout is not None
        assert self._first.stderr is not None
        if self._first.stdout.readline() != b"ready\n":
            raise RuntimeError(f"no sandbox: {self._first.stderr.read().decode()}")
        self._first_pid = psutil.Process(self._first.pid).children()[0].pid

    # --- commands

    def start(self, config: dict[str, Any], *, stdin: bool, limit: float | None) -> Command:
        """Start a process as the request ``config`` says; it is killed after ``limit`` seconds."""
        envs = {
            "PATH": PATH,
            "HOME": "/home/user",
            "USER": "user",
            "LOGNAME": "user",
            "E2B_SANDBOX": "true",
            "E2B_SANDBOX_ID": self.id,
            **self.envs,
            **(config.get("envs") or {}),
        }
        entering: list[str] = []
        if self.isolation is not None:
            entering = [*self.isolation.inside, f"--target={self._first_pid}", "--"]
        command = Command(self, entering, config, envs, stdin=stdin, limit=limit)
        with self._lock:
            self.commands[command.pid] = command
        return command

    def translated(self, text: str) -> str:
        """Text that names paths of the sandbox, as a process without a namespace of its own must be told them."""
        if self.isolation is not None:
            return text
        if text == "-l":
            return "--noprofile"  # of this machine
        here = re.escape(str(self.root))  # what came from there may come back
        return re.sub(rf"(?<!{here})/(home/user|opt/python)\b", rf"{self.root}/\1", text)

    # --- the disk

    def path(self, path: str) -> Path:
        """Where on this machine the sandbox's ``path`` is; links are followed inside the sandbox only."""
        left = [part for part in (path if path.startswith("/") else f"/home/user/{path}").split("/") if part]
        place: list[str] = []
        links = 0
        while left:
            part = left.pop(0)
            if part == "..":
                place = place[:-1]
            elif part != ".":
                there = self.root.joinpath(*place, part)
                if left and there.is_symlink() and links < _MOST_LINKS:
                    links += 1
                    target = os.readlink(there)
                    place = [] if target.startswith("/") else place
                    left = [name for name in target.split("/") if name] + left
                else:
                    place.append(part)
        return self.root.joinpath(*place)

    def files(self) -> Iterator[Path]:
        """All files that are on the disk of the sandbox (what it shares with the host left aside)."""
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink():
                    yield path

    # --- what can be seen from outside

    def processes(self) -> Iterator[psutil.Process]:
        """The processes in the sandbox that run now."""
        if self._first_pid:
            for pid in (self._first_pid, *(command.host_pid for command in list(self.commands.values()))):
                with contextlib.suppress(psutil.NoSuchProcess):
                    first = psutil.Process(pid)
                    yield from (first, *first.children(recursive=True))
            return
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("E2B_SANDBOX_ID") == self.id:
                    yield process

    def look(self) -> None:
        """Take a sample of all that can be seen."""
        for path in self.files():
            with contextlib.suppress(OSError):
                status = path.stat()
                state = (status.st_mtime_ns, status.st_size)
                if self.seen.states.get(str(path)) != state:
                    self.seen.states[str(path)] = state
                    self.seen.files.add(str(path).encode() + b"\n" + path.read_bytes())
        for process in self.processes():
            for name, known in (("cmdline", self.seen.command_lines), ("environ", self.seen.environments)):
                with contextlib.suppress(OSError):
                    known.add(Path(f"/proc/{process.pid}/{name}").read_bytes())

    # --- the end

    def kill(self, why: str) -> bool:
        """End the sandbox; False when it had ended before."""
        with self._lock:
            if not self.alive:
                return False
            self.alive = False
            self.ended_why = why
        if self._first is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._first_pid, signal.SIGKILL)
            self._first.wait()
            for stream in (self._first.stdin, self._first.stdout, self._first.stderr):
                if stream is not None:
                    stream.close()
        else:
            for process in list(self.processes()):
                with contextlib.suppress(psutil.Error):
                    process.kill()
        for command in list(self.commands.values()):
            command.end_by_force()
        for stream in list(self.streams):
            stream.cut()
        return True

    def remove(self) -> None:
        """Remove the disk of a sandbox that has ended."""
        shutil.rmtree(self.root, ignore_errors=True)
