"""A process in a sandbox that was started by its daemon, and those who listen to it."""

from __future__ import annotations

import base64
import contextlib
import os
import queue
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from e2b_double.box import Box

_MOST_WAITING = 64
_CHUNK = 32_768

# Says its process id (that of the sandbox) on descriptor 3, then becomes the command.
_BEGIN = 'echo $$ >&3; exec 3>&-; cd "$1" && shift && exec "$@"'


class Listener:
    """What one connection hears of a process: events from the moment on at which it came."""

    def __init__(self) -> None:
        self.events: queue.Queue[dict[str, Any] | None] = queue.Queue(_MOST_WAITING)
        self.gone = False

    def tell(self, event: dict[str, Any] | None) -> None:
        """Hand over an event; whoever is slow holds up the process, whoever is gone does not."""
        while not self.gone:
            with contextlib.suppress(queue.Full):
                self.events.put(event, timeout=0.2)
                return


class Command:
    """A process; what it prints goes to those who listen at that time and to nobody else."""

    def __init__(
        self,
        box: Box,
        entering: list[str],
        config: dict[str, Any],
        envs: dict[str, str],
        *,
        stdin: bool,
        limit: float | None,
    ) -> None:
        """Start it. ``entering`` is the command that leads into the namespaces; ``limit`` ends it, in seconds."""
        self.config = config
        self.listeners: list[Listener] = []
        self.first = Listener()
        self.listeners.append(self.first)
        self._lock = threading.Lock()
        self._box = box
        words = [
            box.translated(word) for word in (config.get("cwd") or "/home/user", config["cmd"], *config.get("args", []))
        ]
        reading, writing = os.pipe()
        try:
            # The pipe must be descriptor 3 in the new process, whatever it is here.
            third = f'exec 3>&{writing} {writing}>&-; exec "$@"' if writing != 3 else 'exec "$@"'
            start = ["bash", "-c", third, "bash", *entering, "sh", "-c", _BEGIN, "sh", *words]
            self.process = subprocess.Popen(
                start,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={name: box.translated(value) for name, value in envs.items()},
                pass_fds=(writing,),
                start_new_session=True,
            )
        finally:
            os.close(writing)
        with os.fdopen(reading, "rb") as told:
            self.pid = int(told.readline() or 0)
        self.host_pid = self._host_pid(bool(entering))
        self._limit = threading.Timer(limit, self.signal, (signal.SIGKILL,)) if limit else None
        if self._limit is not None:
            self._limit.daemon = True
            self._limit.start()
        self._pumps = [
            threading.Thread(target=self._pump, args=pair, daemon=True)
            for pair in (("stdout", self.process.stdout), ("stderr", self.process.stderr))
        ]
        self.first.tell({"start": {"pid": self.pid}})
        for thread in self._pumps:
            thread.start()
        threading.Thread(target=self._wait, daemon=True).start()

    def _host_pid(self, entered: bool) -> int:
        if not entered:
            return self.process.pid
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                return child.pid
        return self.process.pid  # it has ended already

    def listen(self) -> Listener | None:
        """Hear of the process from now on; None when it has ended."""
        listener = Listener()
        listener.tell({"start": {"pid": self.pid}})
        with self._lock:
            if self.ended():
                return None
            self.listeners.append(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """The process goes on without ``listener``."""
        listener.gone = True
        with self._lock:
            if listener in self.listeners:
                self.listeners.remove(listener)

    def ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def signal(self, number: int) -> bool:
        """Send the process (not its children) a signal; False when it is gone."""
        if self.ended():
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.host_pid, number)
        return True

    def write(self, data: bytes) -> None:
        """Write to its standard input. Raises OSError or ValueError when that is closed."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def close_stdin(self) -> None:
        """Its standard input ends."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()

    def end_by_force(self) -> None:
        """End the whole process group, and wait."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self._limit is not None:
            self._limit.cancel()
        for thread in self._pumps:
            thread.join(1.0)

    def _tell(self, event: dict[str, Any] | None) -> None:
        with self._lock:
            listeners = list(self.listeners)
        for listener in listeners:
            listener.tell(event)

    def _pump(self, name: str, stream: Any) -> None:
        with stream:
            while data := os.read(stream.fileno(), _CHUNK):
                self._tell({"data": {name: base64.b64encode(data).decode()}})

    def _wait(self) -> None:
        for thread in self._pumps:  # children that live on and print hold up the end
            thread.join()
        code = self.process.wait()
        if self._limit is not None:
            self._limit.cancel()
        if self._box.alive:
            exited = code >= 0
            name = "" if exited else signal.Signals(-code).name
            status = f"exit status {code}" if exited else f"signal: {name.removeprefix('SIG').lower()}"
            self._tell({"end": {"exitCode": code if exited else -1, "exited": exited, "status": status}})
        self._tell(None)
        self.close_stdin()
