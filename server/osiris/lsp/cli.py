"""Runs the ``osiris`` command in a process of its own, for what must not hold up or outlive the server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said, and its exit code."""

    code: int
    output: str
    errors: str


async def run_osiris(
    arguments: Sequence[str], *, cwd: Path | None = None, given: bytes | None = None, held: bool = False
) -> Answer:
    """Run ``osiris`` with ``arguments`` and wait for its end. Cancelling the caller ends the process and its children.

    ``given`` is what the command reads from standard input: other users can see arguments, but not this. ``held``:
    standard input ends with this process instead, also when it is killed, so that the command can tell.
    ``-P`` keeps the working folder off the import path: nothing in a workspace can stand in for a module.
    """
    without = asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE
    with _held_input() if held else contextlib.nullcontext(without) as stdin:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "osiris",
            *arguments,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=cwd,
            start_new_session=True,
        )
        try:
            output, errors = await process.communicate(given)
        except asyncio.CancelledError:
            _end(process)
            raise
    return Answer(process.returncode or 0, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace"))


@contextlib.contextmanager
def _held_input() -> Iterator[int]:
    """A descriptor to read from on which nothing ever comes, and which ends with the block or with this process."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def _end(process: asyncio.subprocess.Process) -> None:
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGTERM)
        else:
            process.terminate()
    except ProcessLookupError:
        return
