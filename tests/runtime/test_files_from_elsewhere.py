"""Files of runs on another machine: how they come back, and what that machine has no say in."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from osiris.execution.remote import fetch, protocol
from osiris.execution.remote.errors import ConnectionLost, NotBroughtBack
from runtime.process_machine import ProcessMachine


class Slow(ProcessMachine):
    """Nothing is fetched from it before its worker is done."""

    def get(self, path):
        wire = Path(self.home, protocol.WIRE)
        while b'"kind":"end"' not in wire.read_bytes():
            time.sleep(0.05)
        return super().get(path)


def test_a_file_that_two_steps_write_comes_back_as_each_of_them_left_it(project, machines):
    """The second step has changed it before the host fetches what the first one wrote."""
    machines._kind = Slow
    project.write("in/a.csv", "n,name\n1,Ann\n")
    into = {"path": "shop.db", "write_mode": "replace"}
    long = "SELECT n, name, (SELECT sum(hash(range) % 7) FROM range(30_000_000)) AS s FROM df_r"
    run = project.run(
        project.csv("r", "in/a.csv"),
        project.step("one", "sqlite.writer", sources="r", table="one", **into),
        project.sql("long", "r", long, needs="one"),
        project.step("two", "sqlite.writer", sources="long", table="two", **into),
        target="process",
    )
    assert run.state == "succeeded", run.status
    with closing(sqlite3.connect(project.root / "shop.db")) as database:
        for table in ("one", "two"):
            assert database.execute(f"SELECT n, name FROM {table}").fetchall() == [(1, "Ann")]


class Dying(ProcessMachine):
    """It is gone when two parts of a file have been fetched."""

    def get(self, path):
        if len(self.gets) == 2:
            self.end()
        return super().get(path)


def test_of_a_file_that_did_not_come_back_whole_nothing_is_left_here(project, machines, monkeypatch):
    monkeypatch.setattr(fetch, "CHUNK_BYTES", 1000)
    machines._kind = Dying
    project.write("in/a.csv", "n,name\n" + "1,Ann\n" * 2000)
    run = project.run(project.csv("r", "in/a.csv"), project.to_csv("w", "r", "out/a.csv"), target="process")
    assert (run.state, run.status["error"]["code"]) == ("failed", "OML635")
    assert list((project.root / "out").iterdir()) == []


@pytest.fixture
def machine(tmp_path) -> ProcessMachine:
    home = tmp_path / "elsewhere"
    (home / "project/out").mkdir(parents=True)
    return ProcessMachine(home)


@pytest.fixture
def fetched(machine, project, monkeypatch):
    """Brings a file back as a session does; a lost connection is asked for again ``patience`` times."""
    monkeypatch.setattr(fetch, "CHUNK_BYTES", 1000)

    def bring(path: str, content: bytes, patience: int = 5, limit: int = 10**6, anywhere: bool = True) -> bytes:
        run_dir = project.root / "logs/run_x"
        source = Path(machine.home, "project/out/file")
        source.write_bytes(content)

        def again(ask):
            for attempt in range(patience):
                try:
                    return ask()
                except ConnectionLost:
                    if attempt == patience - 1:
                        raise
            raise AssertionError

        told = {"place": "project", "path": path, "size": len(content), "sha256": sha256(content).hexdigest()}
        fetcher = fetch.Fetcher(project.root, run_dir, {"w": ["out/file"]}, [], limit, anywhere=anywhere)
        fetcher.fetch(machine, [sys.executable, "-P", "-m"], told, again)
        return (project.root / path).read_bytes()

    return bring


def test_a_large_file_comes_in_parts_and_goes_on_where_it_was(fetched, machine, project):
    content = bytes(range(256)) * 20
    get = machine.get

    def lost_after_two(path: str) -> bytes:
        if len(machine.gets) == 2:
            raise ConnectionLost("The line is dead.")
        return get(path)

    machine.get = lost_after_two
    with pytest.raises(ConnectionLost):
        fetched("out/file", content, patience=2)
    assert not (project.root / "out/file").exists()
    machine.get = get
    assert fetched("out/file", content) == content
    assert len(machine.gets) == 6  # the two that had come were not asked for again
    assert project.leftovers() == []


def test_a_part_that_comes_spoilt_is_asked_for_again(fetched, machine):
    content, get = b"x" * 2500, machine.get
    machine.get = lambda path: get(path)[:-1] + b"?" if len(machine.gets) == 1 else get(path)
    assert fetched("out/file", content) == content


@pytest.mark.parametrize(
    "path",
    [
        "../file", "/tmp/file", "out/../../file", "osiris.yaml", ".git/hooks/file", "sub/.env", ".vscode/file",
        "pipelines/new.oml.yaml", "link/file", "a//b", "",
    ],
)  # fmt: skip
def test_another_machine_has_no_say_in_where_its_files_go(fetched, project, tmp_path, path):
    (tmp_path / "outside").mkdir()
    (project.root / "link").symlink_to(tmp_path / "outside")
    before = (project.root / "osiris.yaml").read_bytes()
    with pytest.raises(NotBroughtBack, match="no place for what a pipeline writes"):
        fetched(path, b"evil")
    assert (project.root / "osiris.yaml").read_bytes() == before
    assert list((tmp_path / "outside").iterdir()) == []


def test_where_no_step_is_of_a_plug_in_files_come_only_to_where_steps_write(fetched, project):
    """A machine in the hands of somebody else could bring a Makefile with commands of its own."""
    project.write("Makefile", "all:\n")
    with pytest.raises(NotBroughtBack, match="no place for what a pipeline writes"):
        fetched("Makefile", b"all:\n\tevil\n", anywhere=False)
    assert project.read("Makefile") == "all:\n"
    assert fetched("out/file", b"good", anywhere=False) == b"good"


def test_too_much_is_not_brought_back(fetched):
    with pytest.raises(NotBroughtBack, match="more than may be brought back") as problem:
        fetched("out/file", b"x" * 2000, limit=1999)
    assert "max_download" in str(problem.value.hint)
