"""Processes: the worker, the supervisor that outlives its starter, and killing a whole tree. The only such module.

On Windows runs are in the foreground; there is nothing to detach to.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, Protocol

from osiris.core.error_taxonomy import ConfigurationError

POSIX = os.name == "posix"


class Channel:
    """JSON lines to and from another process, over private pipes."""

    def __init__(self, incoming: IO[bytes] | _Lines, outgoing: IO[bytes]) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._sending = threading.Lock()

    def send(self, message: dict[str, Any]) -> bool:
        """Send a message; False when nobody is there to read it."""
        data = json.dumps(message).encode() + b"\n"
        try:
            with self._sending:
                self._outgoing.write(data)
                self._outgoing.flush()
        except (OSError, ValueError):  # the other side is gone, or we closed ours
            return False
        return True

    def receive(self) -> dict[str, Any] | None:
        """The next message, None when the other side is gone. Waits for it."""
        try:
            line = self._incoming.readline()
        except (OSError, ValueError):
            return None
        if not line.endswith(b"\n"):
            return None
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Close both directions."""
        for stream in (self._outgoing, self._incoming):
            with contextlib.suppress(OSError):
                stream.close()


def python_command(module: str) -> list[str]:
    """How a module of this package is run by this very Python, without the current folder on its path."""
    return [sys.executable, "-P", "-m", module]


# What a stream has left behind goes back to the system soon; else some 40 MB of it stay: Arrow's own pool of memory
# keeps what was freed, and so does the C library up to the second number. But pieces of a batch, up to the third, are
# used again at once: to hand each back and be given new pages took a fifth of the time of a large read. One arena for
# all threads holds less than one for each; DuckDB has an allocator of its own.
_MEMORY_GIVEN_BACK = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_TRIM_THRESHOLD_": "1000000",
    "MALLOC_MMAP_THRESHOLD_": "2000000",
    "MALLOC_ARENA_MAX": "1",
}


class ChannelLike(Protocol):
    """What leads to a worker, wherever it is."""

    def send(self, message: dict[str, Any]) -> bool:
        """Send a message; False when nobody is there to read it."""

    def receive(self) -> dict[str, Any] | None:
        """The next message, None when the other side is gone. Waits for it."""


class WorkerLike(Protocol):
    """What carries out a run: a process of this machine, or something that stands for one elsewhere."""

    @property
    def channel(self) -> ChannelLike:
        """The way to it."""

    def alive(self) -> bool:
        """Whether it can carry out a run, or does."""

    def wait(self, seconds: float) -> bool:
        """Wait for the end; False when it has not come after ``seconds``."""

    def kill(self) -> None:
        """End it and everything it started, by force."""

    def dismiss(self) -> None:
        """Send it away; it is not needed."""

    def ended_how(self) -> str:
        """In words, how it came to its end."""


class Worker:
    """A process that carries out one run. Secrets reach it over its pipe only, never by arguments."""

    def __init__(self) -> None:
        """Start the process; it makes itself ready and waits for what ``channel`` sends."""
        self._process = subprocess.Popen(
            python_command("osiris.execution.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            start_new_session=POSIX,  # a Ctrl-C in the terminal is for us; we tell the worker
            env={**_MEMORY_GIVEN_BACK, **os.environ},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.channel = Channel(self._process.stdout, self._process.stdin)

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> bool:
        """Wait for the end; False when it is still running after ``seconds``."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End the process and everything it started, by force."""
        with contextlib.suppress(OSError):
            if POSIX:
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()

    def dismiss(self) -> None:
        """Send a worker away that is not needed; it ends by itself."""
        self.channel.close()

    def ended_how(self) -> str:
        """In words, how a process that is gone came to its end."""
        code = self._process.wait()
        if code >= 0:
            return f"it ended with code {code}"
        number = -code
        if number == getattr(signal, "SIGKILL", 9):
            return "it was killed (SIGKILL); the system does that when memory runs out"
        names = {
            "SIGSEGV": "it crashed (segmentation fault)",
            "SIGABRT": "it aborted",
            "SIGBUS": "it crashed (bus error)",
        }
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        return names.get(name, f"it was ended by {name}")


def start_detached(module: str, request: dict[str, Any]) -> dict[str, Any]:
    """Start ``module`` so that it outlives this process, its terminal and its process group; its first message.

    The request goes over a pipe. Raises ConfigurationError on Windows, and when the process does not answer.
    """
    if not POSIX:
        raise ConfigurationError("Runs cannot be detached on Windows.", hint="Leave --detach out.")
    process = subprocess.Popen(
        python_command(module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    channel = Channel(process.stdout, process.stdin)
    channel.send(request)
    answer = channel.receive()
    channel.close()
    process.wait()  # the second fork lives on; this one ended at once
    if answer is None:
        raise ConfigurationError(
            "The run could not be started in the background.", hint="Leave --detach out to see what is wrong."
        )
    return answer


def become_daemon() -> Channel:
    """Fork once more and let the parent go, so that the system adopts us; the channel to whoever started us.

    The standard streams then lead nowhere: closing the starter's pipes or terminal cannot hurt.
    """
    if POSIX and os.fork() > 0:
        os._exit(0)
    return take_over_standard_streams()


def take_over_standard_streams() -> Channel:
    """A channel over what are now standard input and output, which are pointed to nowhere for everybody else."""
    incoming = os.fdopen(os.dup(0), "rb", buffering=0)
    outgoing = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return Channel(_Lines(incoming), outgoing)


class _Lines:
    """Lines from a raw stream; it never reads beyond the line that was asked for longer than one read."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._rest = b""

    def readline(self) -> bytes:
        while b"\n" not in self._rest:
            data = self._raw.read(65_536)
            if not data:
                return b""
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line + b"\n"

    def close(self) -> None:
        self._raw.close()


def working_folder(path: Path) -> None:
    """Make ``path`` the current folder of this process, where it is there."""
    with contextlib.suppress(OSError):
        os.chdir(path)
