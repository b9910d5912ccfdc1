"""Sandboxes as machines that runs can go to."""

from __future__ import annotations

import contextlib
import importlib.util
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.files import cause as without_name
from osiris.core.files import read_error
from osiris.core.lookup import install_command
from osiris.execution.e2b.problems import translated
from osiris.execution.e2b.settings import KEY_VARIABLE, E2BSettings, load_settings
from osiris.execution.remote.errors import ConnectionLost, NotConnected, NotPrepared, NotSetUp, RemoteError
from osiris.execution.remote.machine import Machine, Ran
from osiris.execution.remote.reach import is_public

if TYPE_CHECKING:
    from e2b import Sandbox

_HOME = "/home/user/.osiris-run"
_MARK = "osiris_run"  # in the metadata of a sandbox: the run that it is for
_INTERPRETERS = ("python3", "python", "python3.13", "python3.12", "python3.11")
_REQUEST_SECONDS = 60.0
_PROBE_SECONDS = 5.0
_FIRST_SECONDS = 120  # a sandbox that nobody heard of ends by itself after so long
_END_SECONDS = 10.0  # somebody waits for it who wants to go
_PIECE = 2**20  # of what goes to a standard input at once
_FILE_SECONDS = 300.0
_SLOWEST = 250_000.0  # bytes in a second that a line must carry


class E2BMachine:
    """One sandbox."""

    home = _HOME

    def __init__(self, sandbox: Sandbox, settings: E2BSettings) -> None:
        self._sandbox = sandbox
        self._settings = settings
        self.id: str = sandbox.sandbox_id

    def put(self, path: str, content: bytes | Path) -> None:
        """Write a file there; folders are made."""
        if isinstance(content, bytes):
            with self._doing("Sending a file"):
                self._sandbox.files.write(path, content, request_timeout=_FILE_SECONDS)
            return
        try:
            file, seconds = content.open("rb"), _FILE_SECONDS + content.stat().st_size / _SLOWEST
        except OSError as error:
            raise read_error(content, error) from without_name(error)
        with file, self._doing("Sending a file"):
            self._sandbox.files.write(path, file, request_timeout=seconds)

    def get(self, path: str) -> bytes:
        """A file from there."""
        with self._doing(f"Fetching {path.rpartition('/')[2]}"):
            return bytes(self._sandbox.files.read(path, format="bytes", request_timeout=_FILE_SECONDS))

    def run(self, command: Sequence[str], *, given: bytes | None = None, seconds: float = 60) -> Ran:
        """Run a command to its end."""
        import e2b

        try:
            with self._doing("Running a command"):
                handle = self._sandbox.commands.run(
                    shlex.join(command), background=True, stdin=given is not None, timeout=seconds
                )
                if given is not None:
                    for begin in range(0, len(given), _PIECE):
                        self._sandbox.commands.send_stdin(handle.pid, given[begin : begin + _PIECE])
                    self._sandbox.commands.close_stdin(handle.pid)
                try:
                    done = handle.wait()
                except e2b.CommandExitException as ended:
                    return Ran(ended.exit_code, ended.stdout, ended.stderr)
                return Ran(done.exit_code, done.stdout, done.stderr)
        except ConnectionLost as lost:
            if "exceeding 'timeout'" in lost.message:
                raise NotPrepared(f"A command took longer than {seconds:g} s in the sandbox.") from None
            raise

    def stream(self, command: Sequence[str]) -> Iterator[bytes]:
        """What a command writes to its standard output, as it comes."""
        import e2b

        with self._doing("Following the run"):
            handle = self._sandbox.commands.run(shlex.join(command), background=True, timeout=0, retain_output=False)
            for out, _, _ in handle:
                if out:
                    yield out.encode()
            try:
                handle.wait()  # raises when the stream ended before the command did
            except e2b.CommandExitException as ended:
                raise ConnectionLost(f"The run cannot be followed: the command ended with {ended.exit_code}.") from None

    def keep(self) -> None:
        """Say that the sandbox is still needed."""
        with self._doing("Keeping the sandbox"):
            self._sandbox.set_timeout(self._settings.timeout)

    def end(self) -> None:
        """End the sandbox; a second time does nothing."""
        with self._doing("Ending the sandbox"):
            self._sandbox.kill(request_timeout=_END_SECONDS)

    def _doing(self, doing: str) -> contextlib.AbstractContextManager[None]:
        return translated(self._settings.key, doing)


class E2BMachines:
    """Makes sandboxes, with the user's key and settings."""

    name = "e2b"

    def __init__(self, settings: E2BSettings) -> None:
        self.settings = settings
        self.interpreters: Sequence[str] = [settings.python] if settings.python else _INTERPRETERS
        self.max_download = settings.max_download
        self.keep_seconds = min(60.0, settings.timeout / 3)

    @classmethod
    def load(cls) -> E2BMachines:
        """As the user has set them. Raises ConfigurationError."""
        return cls(load_settings())

    def check(self) -> None:
        """Raise NotSetUp when the package or the key is missing."""
        if importlib.util.find_spec("e2b") is None:
            raise NotSetUp(
                "To run in a sandbox of E2B, the Python package e2b is needed, which is not installed here.",
                hint=f"Install it: {install_command('e2b')}",
            )
        if not self.settings.key:
            raise NotSetUp(
                f"To run in a sandbox of E2B, a key is needed: {KEY_VARIABLE} is not set.",
                hint=f"Get one at e2b.dev/dashboard and set {KEY_VARIABLE} in the environment; a .env file does not "
                "count.",
            )

    def probe(self) -> str:
        """Ask whether the key is good; no sandbox is made."""
        from e2b import Sandbox

        with translated(self.settings.key, "E2B was asked"):
            running = Sandbox.list(limit=100, request_timeout=_PROBE_SECONDS, **self.settings.options).next_items()
        return f"E2B accepts the key; sandboxes that run now: {len(running)}"

    def create(self, run_id: str) -> Machine:
        """A new sandbox; asked for twice, the same one, so that a lost answer leaves none behind."""
        from e2b import Sandbox

        with translated(self.settings.key, "A sandbox could not be made"):
            sandbox = Sandbox.create(
                template=self.settings.template,
                timeout=min(self.settings.timeout, _FIRST_SECONDS),
                metadata={_MARK: run_id},
                idempotency_key=run_id.lower().replace("_", "-"),
                request_timeout=_REQUEST_SECONDS,
                **self.settings.options,
            )
        machine = E2BMachine(sandbox, self.settings)
        try:
            made = machine.run(["mkdir", "-p", "-m", "700", _HOME])
            if made.code != 0:
                raise NotPrepared(f"The sandbox has no place for the run: {made.err.strip()[-200:]}")
            machine.keep()
        except NotConnected as lost:  # of the sandbox, which is there
            raise ConnectionLost(lost.message, hint=lost.hint) from None
        except ConnectionLost:
            raise  # asked for again it is the same sandbox, so it must not have been ended
        except BaseException:
            with contextlib.suppress(RemoteError):
                machine.end()
            raise
        return machine

    def find(self, known: dict[str, Any]) -> Machine:
        """The sandbox of a run whose host was lost."""
        from e2b import Sandbox

        with translated(self.settings.key, "The sandbox could not be found"):
            sandbox = Sandbox.connect(
                str(known["sandbox"]),
                timeout=self.settings.timeout,
                request_timeout=_REQUEST_SECONDS,
                **self.settings.options,
            )
        return E2BMachine(sandbox, self.settings)

    def note(self, machine: Machine) -> dict[str, Any]:
        """What to write down to find it again."""
        return {"sandbox": machine.id}

    def end_all(self, run_id: str) -> None:
        """End what was made for a run and never became known."""
        from e2b import Sandbox, SandboxQuery

        with translated(self.settings.key, "Sandboxes could not be listed"):
            options = {**self.settings.options, "request_timeout": _END_SECONDS}
            for found in Sandbox.list(query=SandboxQuery(metadata={_MARK: run_id}), **options).next_items():
                Sandbox.kill(found.sandbox_id, **options)

    def reaches(self, host: str) -> bool:
        """Whether a sandbox can reach ``host``: one of the internet, or one that the user named."""
        return host.lower() in self.settings.reachable or is_public(host)
