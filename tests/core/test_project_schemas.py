"""What a project knows of its databases: at once, from the committed file and from this machine's discoveries."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from osiris.core.cache_fingerprint import SchemaFingerprint
from osiris.core.catalog_source import ServerInfo
from osiris.core.config import ConnectionConfig
from osiris.core.database_file_times import changed_at, database_files
from osiris.core.discovery_process import discover
from osiris.core.project import Project
from osiris.core.schema_cache import Reading, SchemaCache
from osiris.core.schema_lock import make_lock
from osiris.core.state_store import StateStore
from osiris.language.catalog import SchemaKnowledge, TableInfo
from osiris.language.connections import Connection

CONNECTIONS = "connections:\n  sqlite:\n    shop: {path: shop.db}\n    other: {path: '${OTHER_DB}'}\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a database that has a table ``users``; nothing is known of it."""
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS)
    with sqlite3.connect(tmp_path / "shop.db") as db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
    db.close()
    return Project(tmp_path)


def connection(project: Project, alias: str = "shop") -> Connection:
    connections = project.environment().connections
    assert connections is not None
    return connections.families["sqlite"][alias]


def read(project: Project, alias: str = "shop") -> None:
    (outcome,) = discover([ConnectionConfig.of(connection(project, alias))], root=project.root, env=project.variables())
    assert outcome.ok, outcome.problem


def knowledge(project: Project, alias: str = "shop") -> SchemaKnowledge | None:
    return project.environment("p.oml").schema_of(connection(project, alias))


def commit_lock(project: Project) -> None:
    known = knowledge(project)
    assert known is not None
    assert known.discovered is not None
    lock = make_lock({"@sqlite.shop": [(None, "users")]}, {"@sqlite.shop": known.discovered})
    (project.root / "osiris.schema.json").write_text(lock.text())


def test_nothing_is_known_before_anybody_looked_and_nobody_connects(project: Project) -> None:
    assert knowledge(project) is None
    assert not StateStore().path.exists()


def test_what_another_process_discovers_is_known_with_the_next_question(project: Project) -> None:
    assert knowledge(project) is None
    before = project.environment("p.oml").version
    read(project)
    assert project.environment("p.oml").version != before
    known = knowledge(project)
    assert known is not None
    assert known.discovered is not None
    assert known.locked is None
    assert known.is_fresh
    found = known.table("users")
    assert found is not None
    assert [column.name for column in found[0].columns or ()] == ["id", "name"]


def test_the_same_object_answers_until_something_changes(project: Project) -> None:
    read(project)
    known, version = knowledge(project), project.environment("p.oml").version
    with StateStore() as store:
        store.grant_consent("of another connection")
    assert knowledge(project) is known
    assert project.environment("p.oml").version == version
    read(project)
    assert project.environment("p.oml").version != version
    assert knowledge(project) is not known


def test_a_table_that_a_run_wrote_to_is_not_certain_any_more(project: Project) -> None:
    read(project)
    known = knowledge(project)
    assert known is not None
    found = known.table("users")
    assert found is not None
    assert known.is_certain(*found)
    with StateStore() as store:
        (fingerprint,) = store.read(lambda db: db.execute("SELECT fingerprint FROM readings").fetchone(), absent=("",))
        SchemaCache(store).mark_written(fingerprint, "users")
    known = knowledge(project)
    assert known is not None
    found = known.table("users")
    assert found is not None
    assert not known.is_certain(*found)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_file_that_was_changed_since_makes_what_was_read_uncertain_until_it_is_read_again(
    project: Project, mode: str
) -> None:
    db = sqlite3.connect(project.root / "shop.db", isolation_level=None)
    db.execute(f"PRAGMA journal_mode = {mode}")
    read(project)
    known, version = knowledge(project), project.environment("p.oml").version
    assert known is not None
    assert known.is_fresh

    db.execute("ALTER TABLE users ADD COLUMN email TEXT")  # by now in the file, or in the one beside it
    assert known.discovered is not None
    deadline = time.monotonic() + 30
    while known is not None and not known.has_changed and time.monotonic() < deadline:
        time.sleep(0.05)
        known = knowledge(project)
    assert known is not None
    assert not known.is_fresh
    assert project.environment("p.oml").version != version
    found = known.table("users")
    assert found is not None
    assert not known.is_certain(*found)

    read(project)
    known = knowledge(project)
    assert known is not None
    assert known.is_fresh
    db.close()


def test_a_time_of_a_file_that_lies_ahead_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    file.write_bytes(b"x")
    ahead = time.time() + 3600
    os.utime(file, (ahead, ahead))
    assert changed_at([str(file)]) is None
    assert changed_at(database_files("sqlite", {"path": "gone.db"}, tmp_path)) is None
    assert database_files("duckdb", {"path": ":memory:"}, tmp_path) == ()
    assert database_files("mysql", {"path": "shop.db"}, tmp_path) == ()


def test_another_value_of_a_variable_is_another_database(project: Project) -> None:
    (project.root / ".env").write_text("OTHER_DB=shop.db\n")
    read(project, "other")
    assert knowledge(project, "other") is not None
    (project.root / ".env").write_text("OTHER_DB=elsewhere.db\n")
    assert knowledge(project, "other") is None
    (project.root / ".env").write_text("")
    assert knowledge(project, "other") is None


def test_another_text_of_the_connections_file_is_another_database(project: Project) -> None:
    read(project)
    file = project.root / "osiris_connections.yaml"
    project.overlay(file, CONNECTIONS.replace("shop.db", "elsewhere.db"))
    assert knowledge(project) is None
    project.overlay(file, None)
    assert knowledge(project) is not None


def test_how_long_it_is_fresh_is_a_setting(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    read(project)
    known = knowledge(project)
    assert known is not None
    assert known.is_fresh
    (project.root / "osiris.yaml").write_text("discovery: {max_age_hours: 0}\n")
    known = knowledge(project)
    assert known is not None
    assert not known.is_fresh
    monkeypatch.setenv("OSIRIS_DISCOVERY_MAX_AGE_HOURS", "2.5")
    (project.root / "osiris.yaml").write_text("discovery: {max_age_hours: 1}\n")
    known = knowledge(project)
    assert known is not None
    assert known.max_age.total_seconds() == 9000


def test_growing_old_changes_the_version(project: Project) -> None:
    (project.root / "shop.db").unlink()  # it would be newer than what is said to have been read
    nearly_old = datetime.now(UTC) - timedelta(hours=24) + timedelta(seconds=2)
    reading = Reading("sqlite", ServerInfo("SQLite", ""), [TableInfo("", "users")], {}, True, nearly_old)
    config = ConnectionConfig.of(connection(project))
    fingerprint = SchemaFingerprint.of(config, root=project.root, env=project.variables())
    SchemaCache(StateStore()).store(fingerprint, reading)
    known = knowledge(project)
    assert known is not None
    assert known.is_fresh
    version = project.environment("p.oml").version

    while known.is_fresh:
        time.sleep(0.1)

    assert project.environment("p.oml").version != version


# ---- osiris.schema.json ----------------------------------------------------------------------------------------------


def test_the_committed_file_counts_beside_the_discoveries_and_alone(project: Project) -> None:
    read(project)
    commit_lock(project)
    known = knowledge(project)
    assert known is not None
    assert known.locked is not None
    assert known.discovered is not None
    StateStore().path.unlink()
    known = knowledge(project)
    assert known is not None
    assert known.locked is not None
    assert known.discovered is None
    found = known.table("users")
    assert found is not None
    assert known.is_certain(*found)


def test_offline_the_committed_file_counts_and_nothing_else(project: Project) -> None:
    read(project)
    version = project.environment().version
    project.offline = True
    assert knowledge(project) is None
    assert project.environment().version != version
    project.offline = False
    commit_lock(project)
    project.offline = True
    known = knowledge(project)
    assert known is not None
    assert (known.locked is not None, known.discovered) == (True, None)


def test_a_change_of_the_committed_file_is_seen_also_in_an_editor(project: Project) -> None:
    read(project)
    commit_lock(project)
    file, version = project.root / "osiris.schema.json", project.environment().version
    project.overlay(file, file.read_text().replace('"users"', '"people"'))
    assert project.environment().version != version
    known = knowledge(project)
    assert known is not None
    assert known.locked is not None
    assert [info.name for info in known.locked.tables] == ["people"]


def test_what_is_wrong_in_it_is_among_the_findings_of_the_project(project: Project) -> None:
    (project.root / "osiris.schema.json").write_text('{"schema_version": 1, "connections": [}')
    (file,) = (file for file in project.settings_files() if file.path.name == "osiris.schema.json")
    assert [finding.code for finding in file.diagnostics] == ["OML420"]
    assert knowledge(project) is None


def test_a_committed_file_that_is_a_link_out_of_the_project_is_not_read(project: Project, tmp_path: Path) -> None:
    outside = tmp_path.with_name(f"{tmp_path.name}-outside.json")
    outside.write_text('{"schema_version": 1, "connections": {"@sqlite.shop": {"dialect": "x", "tables": {}}}}')
    (project.root / "osiris.schema.json").symlink_to(outside)
    assert knowledge(project) is None
    assert any("leads out of the project" in (file.problem or "") for file in project.settings_files())


# ---- The store -------------------------------------------------------------------------------------------------------


def test_a_store_that_cannot_be_used_knows_nothing(project: Project) -> None:
    read(project)
    with sqlite3.connect(StateStore().path) as db:
        db.execute("PRAGMA user_version = 1000")  # a newer version of Osiris
    db.close()
    assert Project(project.root).environment().schema_of(connection(project)) is None


def test_asking_again_opens_no_file(project: Project) -> None:
    """In a process of its own: an audit hook cannot be taken away again."""
    code = """
import sys
from pathlib import Path
from osiris.core.project import Project
project = Project(Path(sys.argv[1]))
find = lambda: project.environment("p.oml").schema_of(project.environment("p.oml").connections.get("sqlite", "shop"))
find().table("users")
opened = []
sys.addaudithook(lambda event, args: opened.append(args) if event in ("open", "sqlite3.connect") else None)
for _ in range(200):
    assert find().table("users") is not None
    project.environment("p.oml").version
assert opened == [], opened
"""
    read(project)
    subprocess.run([sys.executable, "-P", "-c", code, str(project.root)], check=True)
