"""Processes are killed at any moment: each target is old or new, and a resume ends in the undisturbed result."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import time
from pathlib import Path

import duckdb
import psutil
import pytest

from osiris.execution.local import start_run
from osiris.execution.resume import plan_resume

ROWS = 20_000
MOMENTS = 50 if os.environ.get("OSIRIS_SOAK") else 3
APPENDED = {"sqlite", "mysql", "postgres"}


class Targets:
    """A project whose pipeline writes the same rows into files and databases of every kind."""

    def __init__(self, project, mysql, postgres):
        self.project = project
        self.servers = {"mysql": mysql, "postgres": postgres}
        lines = ["connections:"]
        for family, (server, database) in self.servers.items():
            fields = server.fields(database)
            lines += [f"  {family}:", "    shop:", *(f"      {name}: {value}" for name, value in fields.items())]
        project.write("osiris_connections.yaml", "\n".join(lines) + "\n")
        project.write("source.csv", "a\n" + "".join(f"{number}\n" for number in range(ROWS)))
        self.steps = [
            project.csv("read", "source.csv"),
            project.sql("double", "read", "SELECT a * 2 AS a FROM df"),
            project.to_csv("csv", "double", "out.csv"),
            project.step("parquet", "filesystem.parquet_writer", sources="double", path="out.parquet"),
            project.step("sqlite", "sqlite.writer", sources="double", path="target.db", table="t"),
            *(
                project.step(
                    family, f"{family}.writer", sources="double", table="t", step__connection=f"@{family}.shop"
                )
                for family in self.servers
            ),
        ]

    def reset(self):
        """Each target as it was before: an old row in it."""
        self.project.write("out.csv", "old\n")
        duckdb.sql("SELECT -1 AS a").write_parquet(str(self.project.root / "out.parquet"))
        (self.project.root / "target.db").unlink(missing_ok=True)
        self.project.database("target.db", "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (-1)")
        for server, database in self.servers.values():
            server.execute(
                "DROP TABLE IF EXISTS t",
                "CREATE TABLE t (a BIGINT)",
                "INSERT INTO t VALUES (-1)",
                database=database,
            )

    def found(self):
        """What each target holds: ``old``, ``new``, or something that must not be."""
        csv = self.project.read("out.csv").splitlines()
        new = [str(2 * number) for number in range(ROWS)]
        found = {"csv": "old" if csv == ["old"] else "new" if csv == ["a", *new] else f"{len(csv)} lines"}
        for name, (count, distinct, most) in {
            "parquet": duckdb.sql(f"SELECT {COUNTS} FROM '{self.project.root}/out.parquet'").fetchall()[0],
            "sqlite": self._of(sqlite3.connect(self.project.root / "target.db")),
            **{name: self._of(server.connect(database)) for name, (server, database) in self.servers.items()},
        }.items():
            whole = ROWS + (name in APPENDED)
            if (count, most) == (1, -1):
                found[name] = "old"
            else:
                right = (count, distinct, most) == (whole, whole, 2 * ROWS - 2)
                found[name] = "new" if right else f"{count} rows, {distinct} different"
        return found

    @staticmethod
    def _of(connection):
        with contextlib.closing(connection):
            cursor = connection.cursor()
            cursor.execute(f"SELECT {COUNTS} FROM t")
            return tuple(cursor.fetchone())


COUNTS = "count(*), count(DISTINCT a), max(a)"


@pytest.fixture
def targets(project, mariadb, postgres):
    """Targets of all kinds."""
    with mariadb.database() as mysql, postgres.database() as other:
        yield Targets(project, (mariadb, mysql), (postgres, other))


def processes(root: Path, *modules: str):
    """The processes of runs in the project that are one of ``modules``."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.Error):
            if set(modules).intersection(process.info["cmdline"] or []) and process.cwd() == str(root):
                found.append(process)
    return found


def kill(root: Path, *, all_of_them: bool) -> None:
    """Kill the process that carries out the run, if it still does; or the one that watches over it before."""
    for module in [*(["osiris.execution.supervisor"] if all_of_them else []), "osiris.execution.worker"]:
        for process in processes(root, module):
            with contextlib.suppress(psutil.Error):
                process.kill()


def wait_for_lines(path: Path, count: int) -> None:
    """Wait, at most a minute, until a file has so many lines: a moment in a run, however busy the machine is."""
    end = time.monotonic() + 60
    while path.read_bytes().count(b"\n") < count and time.monotonic() < end:
        time.sleep(0.001)


@pytest.mark.soak
def test_after_a_kill_at_any_moment_each_target_is_old_or_new_and_resume_ends_in_the_undisturbed_result(targets, until):
    project, store = targets.project, targets.project.store()
    targets.reset()
    undisturbed = project.run(*targets.steps)
    assert undisturbed.state == "succeeded", undisturbed.error()
    assert set(targets.found().values()) == {"new"}
    chance = random.Random(5)
    seen = set()

    for number in range(MOMENTS):
        targets.reset()
        started = start_run(project.manifest(*targets.steps), root=project.root, detach=True, cache=False)
        moment = (chance.randrange(len(undisturbed.events) - 1), chance.uniform(0, 0.03))
        wait_for_lines(started.path / "events.jsonl", moment[0] + 1)
        time.sleep(moment[1])
        kill(project.root, all_of_them=number % 2 == 1)
        until(lambda run=started.run_id: not store.show(run).active)
        until(lambda: not processes(project.root, "osiris.execution.worker"))
        found = targets.found()
        assert set(found.values()) <= {"old", "new"}, (number, moment, found)
        seen.update(found.values())

        info = store.show(started.run_id)
        if info.state != "succeeded":
            manifest, plan = plan_resume(info, project.root)
            resumed = project.run(manifest=manifest, resume=plan)
            assert resumed.state == "succeeded", (number, moment, found, resumed.error())
        assert set(targets.found().values()) == {"new"}, (number, moment, found)
        assert project.leftovers() == []

    assert "old" in seen
