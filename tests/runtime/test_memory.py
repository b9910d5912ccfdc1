"""What a run is said to take."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from osiris.execution.memory import MemoryWatch, own_memory

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="this system does not say it")


FORKED = """
import os, signal
from osiris.execution.memory import MemoryWatch, own_memory
ballast = bytearray(b"1" * 100_000_000)
child = os.fork()
if child == 0:
    signal.pause()
try:
    print(MemoryWatch().look() - own_memory())
finally:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


@needs_proc
def test_pages_that_a_process_has_just_been_forked_with_are_not_counted_twice() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", FORKED], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) < 50_000_000


@needs_proc
def test_what_the_parent_had_is_no_peak_of_its_child() -> None:
    ballast = bytearray(os.urandom(1) * 300_000_000)
    code = "from osiris.execution.memory import MemoryWatch; print(MemoryWatch().peak())"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) < len(ballast)


@needs_proc
def test_a_program_that_the_run_started_counts() -> None:
    code = "x = bytearray(b'1' * 100_000_000); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        assert MemoryWatch().look() > own_memory() + 90_000_000
        program.communicate(b"\n", timeout=30)
