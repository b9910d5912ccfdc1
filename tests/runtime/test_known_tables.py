"""After a run has written to a table, what is known of that table is not certain any more."""

from __future__ import annotations

from pathlib import Path

from osiris.core.discovery import DiscoveryAgent
from osiris.core.state_store import StateStore
from osiris.language.catalog import TableInfo

CONNECTIONS = "connections:\n  sqlite:\n    shop: {path: shop.db, default: true}\n    other: {path: other.db}\n"


def agent(root: Path, reference: str = "@sqlite.shop") -> DiscoveryAgent:
    return DiscoveryAgent(reference, root=root)


def known(root: Path, reference: str = "@sqlite.shop") -> dict[str, TableInfo]:
    found = agent(root, reference)
    schema = found.cache.load(found.fingerprint, reference)
    return {} if schema is None else {info.name: info for info in schema.catalog.tables}


def prepared(project):
    project.write("osiris_connections.yaml", CONNECTIONS)
    project.write("in.csv", "id,name\n1,Ada\n")
    project.database("shop.db", "CREATE TABLE users (id INTEGER, name TEXT)", "CREATE TABLE orders (id INTEGER)")
    project.database("other.db", "CREATE TABLE users (id INTEGER, name TEXT)")
    return project.step("r", "filesystem.csv_extractor", path="in.csv")


def writer(project, name: str, table: str, **more):
    return project.step(
        name, "sqlite.writer", sources="r", table=table, write_mode="append", step__connection="@sqlite.shop", **more
    )


def test_the_table_that_was_written_to_and_no_other_is_marked(project):
    reader = prepared(project)
    for reference in ("@sqlite.shop", "@sqlite.other"):
        agent(project.root, reference).discover_schema()

    run = project.run_here(reader, writer(project, "w", "users"))

    assert run.state == "succeeded", run.error()
    assert {name: info.written for name, info in known(project.root).items()} == {"orders": False, "users": True}
    assert {name: info.written for name, info in known(project.root, "@sqlite.other").items()} == {"users": False}


def test_a_table_that_a_run_elsewhere_has_written_to_is_marked_here(project, machines):
    reader = prepared(project)
    agent(project.root).discover_schema()

    run = project.run(reader, writer(project, "w", "users"), target="process")

    assert run.state == "succeeded", run.error()
    assert {name: info.written for name, info in known(project.root).items()} == {"orders": False, "users": True}


def test_a_table_that_the_run_has_made_is_there(project):
    reader = prepared(project)
    agent(project.root).discover_schema()

    assert project.run_here(reader, writer(project, "w", "fresh")).state == "succeeded"

    assert known(project.root)["fresh"].written
    assert [info.name for info in agent(project.root).discover_schema().tables] == ["fresh", "orders", "users"]


def test_a_step_that_failed_marks_nothing(project):
    reader = prepared(project)
    agent(project.root).discover_schema()

    run = project.run_here(reader, writer(project, "w", "orders"), writer(project, "v", "users"))

    assert run.state == "failed"
    assert {name: info.written for name, info in known(project.root).items()} == {"orders": False, "users": True}


def test_a_run_of_somebody_who_never_discovered_keeps_nothing(project):
    reader = prepared(project)

    assert project.run_here(reader, writer(project, "w", "users")).state == "succeeded"

    assert not StateStore().path.exists()


def test_a_store_that_cannot_be_written_does_not_fail_the_run(project):
    reader = prepared(project)
    agent(project.root).discover_schema()
    with StateStore() as store:
        store.write(lambda db: db.execute("PRAGMA user_version = 1000"))  # a newer version of Osiris

    assert project.run_here(reader, writer(project, "w", "users")).state == "succeeded"
