"""What a machine elsewhere must be able to do. One that can carries out any run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class Machine(Protocol):
    """One machine, ready. Paths are absolute there; ``home`` is a folder that we may fill.

    Every method raises MachineGone when there is none any more and ConnectionLost when it does not answer.
    """

    id: str
    home: str

    def put(self, path: str, content: bytes | Path) -> None:
        """Write a file there; folders are made. Raises ConfigurationError when ``content`` cannot be read here."""

    def get(self, path: str) -> bytes:
        """A file from there, of some megabytes at most. Raises NotBroughtBack when there is none."""

    def run(self, command: Sequence[str], *, given: bytes | None = None, seconds: float = 60) -> Ran:
        """Run a command to its end; ``given`` is its standard input. Raises NotPrepared when it takes too long."""

    def stream(self, command: Sequence[str]) -> Iterator[bytes]:
        """What a command writes to its standard output, as it comes; ends with the command, killed when closed."""

    def keep(self) -> None:
        """Say that the machine is still needed; it ends by itself some time after the last word."""

    def end(self) -> None:
        """End the machine; a second time does nothing."""


class Machines(Protocol):
    """A kind of machine, with the user's settings for it."""

    name: str
    interpreters: Sequence[str]
    max_download: int
    keep_seconds: float
    """How often a machine must hear that it is needed."""

    def check(self) -> None:
        """Raise NotSetUp when something is missing on this side. Nothing is asked over the network."""

    def probe(self) -> str:
        """Ask whether machines could be had now, and say so in words. Raises Refused, OverQuota or ConnectionLost."""

    def create(self, run_id: str) -> Machine:
        """A new machine. Raises Refused, OverQuota, ConnectionLost or NotPrepared."""

    def find(self, known: dict[str, Any]) -> Machine:
        """The machine that ``note`` told of. Raises MachineGone when there is none any more."""

    def note(self, machine: Machine) -> dict[str, Any]:
        """What to write down to find the machine again; no secret."""

    def end_all(self, run_id: str) -> None:
        """End what was made for a run and is not at hand: a creation whose answer was lost, for one."""

    def reaches(self, host: str) -> bool:
        """Whether a machine of this kind can reach ``host``, a name or an address."""
