"""Twenty processes on one state store while one of them is killed: nothing is lost, nothing is torn."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from osiris.core.schema_cache import SchemaCache
from osiris.core.state_store import StateStore

PROCESS = Path(__file__).with_name("store_process.py")
SOAK = bool(os.environ.get("OSIRIS_SOAK"))
PROCESSES = 20
ROUNDS = 40 if SOAK else 6


def start(path: Path, name: str, rounds: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", str(PROCESS), str(path), name, str(rounds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def last_said(output: str) -> int:
    """The number of the last round that a process said is kept; -1 for none."""
    return int(output.split()[-1]) if output.split() else -1


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(30 if SOAK else 1))
def test_nothing_is_lost_or_torn(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "state" / "state.db"
    running = {str(number): start(path, str(number), ROUNDS) for number in range(PROCESSES - 1)}
    doomed = start(path, "doomed", 100_000)
    assert doomed.stdout is not None
    said = [doomed.stdout.readline()]  # it is at work
    time.sleep(chance.uniform(0, 0.3))
    doomed.send_signal(signal.SIGKILL)
    rounds = {name: process.communicate(timeout=240) for name, process in running.items()}
    said.append(doomed.communicate()[0])

    assert {name: errors for name, (_, errors) in rounds.items() if errors} == {}
    assert doomed.returncode == -signal.SIGKILL
    sys.path.insert(0, str(PROCESS.parent))
    try:
        from store_process import stamp_of
    finally:
        sys.path.remove(str(PROCESS.parent))
    with StateStore(path) as store:
        cache = SchemaCache(store)
        assert store.read(lambda db: db.execute("PRAGMA integrity_check").fetchall(), absent=[]) == [("ok",)]
        assert store.read(lambda db: db.execute("PRAGMA foreign_key_check").fetchall(), absent=None) == []
        for name in running:
            assert stamp_of(cache, name) == f"{name}-{ROUNDS - 1}"
            assert all(store.has_consent(f"{name}-{number}") for number in range(ROUNDS))
        kept = last_said("".join(said))
        # It may have been killed between keeping something and saying so.
        assert stamp_of(cache, "doomed") in (f"doomed-{kept}", f"doomed-{kept + 1}")
        assert all(store.has_consent(f"doomed-{number}") for number in range(kept + 1))
        stamp_of(cache, "shared")
        assert store.remarks == ()
    assert not list(path.parent.glob("*.damaged-*"))
