"""Discovery in processes of its own: what is found is kept, and what goes wrong is one clear message."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from osiris.core.config import ConnectionConfig
from osiris.core.discovery_process import Outcome, discover
from osiris.core.schema_cache import SchemaCache
from osiris.core.state_store import StateStore

SECRET = "hunter2-is-secret"


@pytest.fixture
def shop(tmp_path: Path) -> ConnectionConfig:
    """A SQLite database with two tables."""
    with sqlite3.connect(tmp_path / "shop.db") as db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        db.execute("CREATE TABLE orders (id INTEGER, amount REAL)")
        db.execute("INSERT INTO users VALUES (1, 'Ada'), (2, 'Alan')")
    db.close()
    return ConnectionConfig("sqlite", "shop", {"path": "shop.db"})


@pytest.fixture
def silent() -> Iterator[ConnectionConfig]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        fields = {"host": "127.0.0.1", "port": server.getsockname()[1], "database": "x", "user": "u"}
        yield ConnectionConfig("mysql", "silent", {**fields, "password": "${SECRET}"})


def at(root: Path, *connections: ConnectionConfig, timeout: float = 30, **more: object) -> list[Outcome]:
    env = {"SECRET": SECRET}
    return discover(connections, root=root, env=env, timeout=timeout, **more)  # type: ignore[arg-type]


def test_the_catalog_is_in_the_store_afterwards(tmp_path: Path, shop: ConnectionConfig) -> None:
    (outcome,) = at(tmp_path, shop)
    assert (outcome.ok, outcome.complete, outcome.tables, outcome.columns) == (True, True, 2, 4)
    with StateStore() as store:
        known = SchemaCache(store).load(outcome.fingerprint, "@sqlite.shop")
        assert known is not None
        assert [info.name for info in known.catalog.tables] == ["orders", "users"]
        users = known.catalog.table("users")
        assert users is not None
        assert [column.name for column in users.columns or ()] == ["id", "name"]
        assert known.read_at == outcome.read_at


def test_the_outcome_as_the_command_prints_it(tmp_path: Path, shop: ConnectionConfig) -> None:
    (outcome,) = at(tmp_path, shop, tables=["users"], samples=1)
    plain = outcome.plain()
    assert plain.pop("seconds") > 0
    assert plain.pop("readAt").endswith("Z")
    assert plain.pop("version").startswith("3.")
    assert plain == {
        "connection": "@sqlite.shop",
        "ok": True,
        "complete": False,
        "tables": 1,
        "columns": 2,
        "product": "SQLite",
        "remarks": [],
        "error": None,
        "samples": [{"schema": "", "table": "users", "columns": ["id", "name"], "rows": [[1, "Ada"]]}],
    }


def test_rows_are_read_only_when_asked_for_and_never_kept(tmp_path: Path, shop: ConnectionConfig) -> None:
    assert at(tmp_path, shop)[0].samples is None
    assert at(tmp_path, shop, samples=2)[0].samples is not None
    files = list(StateStore().path.parent.iterdir())
    assert files
    assert not any(b"Alan" in file.read_bytes() for file in files)


def test_a_table_that_is_not_there_is_said_with_its_neighbour_and_forgotten(
    tmp_path: Path, shop: ConnectionConfig
) -> None:
    at(tmp_path, shop)
    with sqlite3.connect(tmp_path / "shop.db") as db:
        db.execute("DROP TABLE users")
        db.execute("CREATE TABLE users2 (id)")
    db.close()
    (outcome,) = at(tmp_path, shop, tables=["users"])
    assert outcome.problem is not None
    assert outcome.problem.message == "There is no table users in @sqlite.shop."
    assert outcome.problem.hint == "Did you mean users2?"
    with StateStore() as store:
        known = SchemaCache(store).load(outcome.fingerprint, "@sqlite.shop")
        assert known is not None
        assert [info.name for info in known.catalog.tables] == ["orders"]


def test_each_connection_has_its_own_outcome_in_the_order_of_the_question(
    tmp_path: Path, shop: ConnectionConfig
) -> None:
    missing = ConnectionConfig("sqlite", "missing", {"path": "missing.db"})
    unset = ConnectionConfig("mysql", "unset", {"host": "${NOT_SET}"})
    strange = ConnectionConfig("oracle", "strange", {})
    heard: list[str] = []
    outcomes = at(tmp_path, missing, shop, unset, strange, shop, done=lambda outcome: heard.append(outcome.connection))
    assert [outcome.ok for outcome in outcomes] == [False, True, False, False, True]
    messages = [outcome.problem.message for outcome in outcomes if outcome.problem is not None]
    assert "missing.db" in messages[0]
    assert "NOT_SET is not set" in messages[1]
    assert messages[2] == "Connections of the family oracle cannot be discovered."
    assert sorted(heard) == sorted(outcome.connection for outcome in outcomes)


# ---- What goes wrong -------------------------------------------------------------------------------------------------


def workers(of: int) -> list[psutil.Process]:
    """The processes below ``of`` that read a catalog and have their request."""
    found = []
    for process in psutil.Process(of).children(recursive=True):
        try:
            if "osiris.core.discovery_worker" in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for(what: Callable[[], object]) -> object:
    for _ in range(600):
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it never came")


def connected(process: psutil.Process) -> bool:
    try:
        return any(connection.raddr for connection in process.net_connections("tcp"))
    except psutil.Error:  # it has ended meanwhile
        return False


def test_a_server_that_never_answers_costs_no_more_than_the_time_allowed(
    tmp_path: Path, silent: ConnectionConfig, shop: ConnectionConfig
) -> None:
    stuck, fine = at(tmp_path, silent, shop, timeout=2)
    assert fine.ok
    assert not stuck.ok
    assert stuck.problem is not None
    assert SECRET not in str(stuck.plain())
    assert stuck.seconds < 20
    assert workers(os.getpid()) == []


def test_a_worker_that_hangs_is_ended_and_said(tmp_path: Path, silent: ConnectionConfig) -> None:
    def stop_the_worker() -> None:
        process = wait_for(lambda: [p for p in workers(os.getpid()) if connected(p)])[0]  # type: ignore[index]
        process.suspend()  # nothing in it can look at a clock any more

    thread = threading.Thread(target=stop_the_worker)
    thread.start()
    (outcome,) = at(tmp_path, silent, timeout=5)
    thread.join()
    assert outcome.problem is not None
    assert outcome.problem.message == "The catalog could not be read within 5 s, so discovery was stopped."
    assert "--timeout" in (outcome.problem.hint or "")
    assert workers(os.getpid()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGSEGV, "crashed (segmentation fault)"),
        (signal.SIGABRT, "aborted (SIGABRT)"),
        (signal.SIGKILL, "was killed (SIGKILL); the system does that when memory runs out"),
        (signal.SIGTERM, "was ended by SIGTERM"),
    ],
)
def test_a_worker_that_crashes_is_one_message_and_the_store_is_as_before(
    tmp_path: Path, silent: ConnectionConfig, shop: ConnectionConfig, number: signal.Signals, words: str
) -> None:
    at(tmp_path, shop)

    def hit_the_worker() -> None:
        process = wait_for(lambda: [p for p in workers(os.getpid()) if connected(p)])[0]  # type: ignore[index]
        process.send_signal(number)

    thread = threading.Thread(target=hit_the_worker)
    thread.start()
    hit, fine = at(tmp_path, silent, shop)
    thread.join()
    assert fine.ok
    assert hit.problem is not None
    assert hit.problem.message == f"The process that read the catalog {words}."
    assert (hit.tables, hit.read_at) == (0, None)


def test_a_worker_that_is_killed_leaves_no_copy_of_a_data_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    for number in range(2_000):
        (tmp_path / f"data/{number}.csv").write_text(f"id,c{number}\n1,2\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def kill_the_worker() -> None:
        wait_for(lambda: any(path.is_file() for path in temporary.rglob("*")))
        workers(os.getpid())[0].kill()

    thread = threading.Thread(target=kill_the_worker)
    thread.start()
    (outcome,) = at(tmp_path, ConnectionConfig("filesystem", "files", {"base_dir": "data"}))
    thread.join()
    assert outcome.problem is not None
    assert "was killed" in outcome.problem.message
    assert list(temporary.iterdir()) == []


def test_the_secret_is_in_no_argument_and_no_environment(tmp_path: Path, silent: ConnectionConfig) -> None:
    seen: list[str] = []

    def look() -> None:
        process = wait_for(lambda: [p for p in workers(os.getpid()) if connected(p)])[0]  # type: ignore[index]
        seen.append(str(process.cmdline()) + str(process.environ()))
        process.kill()

    thread = threading.Thread(target=look)
    thread.start()
    (outcome,) = at(tmp_path, silent)
    thread.join()
    assert "-P" in seen[0]
    assert SECRET not in seen[0]
    assert SECRET not in repr(outcome)


def asking(silent: ConnectionConfig) -> tuple[subprocess.Popen[bytes], psutil.Process]:
    """Another process that waits for a discovery, and the worker that it waits for."""
    code = (
        "from pathlib import Path; from osiris.core.discovery_process import discover\n"
        "from osiris.core.config import ConnectionConfig\n"
        f"discover([ConnectionConfig('mysql', 'm', {dict(silent.fields)!r})], root=Path('/'), env={{'SECRET': 's'}})"
    )
    asker = subprocess.Popen([sys.executable, "-P", "-c", code], stderr=subprocess.DEVNULL)
    (process,) = wait_for(lambda: [p for p in workers(asker.pid) if connected(p)])  # type: ignore[misc, attr-defined]
    return asker, process


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_when_whoever_asked_is_gone_the_worker_goes_too(silent: ConnectionConfig) -> None:
    asker, worker = asking(silent)
    asker.kill()
    asker.wait()
    wait_for(lambda: gone(worker))


def test_control_c_ends_the_worker_and_then_whoever_asked(silent: ConnectionConfig) -> None:
    asker, worker = asking(silent)
    asker.send_signal(signal.SIGINT)
    assert asker.wait(20) != 0
    assert gone(worker)


def test_what_stands_in_the_working_folder_is_never_imported(
    tmp_path: Path, shop: ConnectionConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json.py", "sqlite3.py", "osiris.py", "contextlib.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    assert at(tmp_path, shop)[0].ok
    assert not (tmp_path / "sprung").exists()
