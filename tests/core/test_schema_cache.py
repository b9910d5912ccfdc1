"""What was read of databases: kept by fingerprint, loaded table by table, changed by our own writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.core.catalog_source import ServerInfo
from osiris.core.schema_cache import KnownSchema, Reading, SchemaCache, _columns_of, _columns_text
from osiris.core.state_store import StateStore
from osiris.language.catalog import Column, TableInfo

NOW = datetime.now(UTC).replace(microsecond=0)
ID = Column("id", "int(11)", "int32", nullable=False, primary_key=1)
STATE = Column("state", "enum('a','b')", "string", True, comment="where it is", values=("a", "b"))
ORDERS, PEOPLE = TableInfo("shop", "orders", rows=12, comment="all of them"), TableInfo("crm", "People", "view")
READING = Reading(
    "mysql",
    ServerInfo("MariaDB", "10.11", "shop", remarks=("no rights on secret",)),
    [PEOPLE, ORDERS],
    {("shop", "orders"): (ID, STATE)},
    complete=True,
    read_at=NOW,
    seconds=0.5,
)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SchemaCache]:
    with StateStore(tmp_path / "state.db") as store:
        yield SchemaCache(store)


def known(cache: SchemaCache, fingerprint: str = "f") -> KnownSchema:
    found = cache.load(fingerprint, "@mysql.shop")
    assert found is not None
    return found


def test_a_reading_comes_back_as_it_was(cache: SchemaCache) -> None:
    cache.store("f", READING)
    found = known(cache)
    catalog = found.catalog
    assert (found.server.product, found.server.version, found.server.remarks) == (
        "MariaDB",
        "10.11",
        ("no rights on secret",),
    )
    assert (catalog.reference, catalog.dialect, catalog.default_schema) == ("@mysql.shop", "mysql", "shop")
    assert (catalog.complete, catalog.read_at, found.seconds) == (True, NOW, 0.5)
    assert catalog.tables == (PEOPLE, ORDERS)
    assert catalog.columns(ORDERS) == (ID, STATE)
    assert catalog.columns(PEOPLE) is None
    assert found.columns_known == 1
    assert found.age(NOW + timedelta(hours=1)) == timedelta(hours=1)


def test_another_fingerprint_knows_nothing(cache: SchemaCache) -> None:
    assert cache.load("f", "@mysql.shop") is None
    cache.store("f", READING)
    assert cache.load("g", "@mysql.shop") is None
    cache.invalidate("f")
    assert cache.load("f", "@mysql.shop") is None


def test_a_new_reading_takes_the_place_of_the_old_one(cache: SchemaCache) -> None:
    cache.store("f", READING)
    cache.store("f", replace(READING, tables=[PEOPLE], columns={}))
    assert known(cache).catalog.tables == (PEOPLE,)
    left = cache.state.read(lambda db: db.execute("SELECT count(*) FROM table_columns").fetchone()[0], absent=None)
    assert left == 0


def test_named_tables_are_renewed_and_the_rest_keeps_its_age(cache: SchemaCache) -> None:
    cache.store("f", READING)
    later = NOW + timedelta(days=2)
    cache.store_tables("f", replace(READING, tables=[ORDERS], columns={("shop", "orders"): (ID,)}, read_at=later))
    catalog = known(cache).catalog
    assert catalog.tables == (PEOPLE, replace(ORDERS, read_at=later))
    assert catalog.columns(ORDERS) == (ID,)
    assert (catalog.read_at, catalog.complete) == (NOW, True)


def test_named_tables_alone_are_no_complete_reading(cache: SchemaCache) -> None:
    cache.store_tables("f", replace(READING, tables=[ORDERS]))
    assert not known(cache).catalog.complete


def test_readings_that_nobody_renews_are_dropped(cache: SchemaCache) -> None:
    cache.store("old", replace(READING, read_at=datetime.now(UTC) - timedelta(days=200)))
    cache.store("new", replace(READING, read_at=datetime.now(UTC)))
    assert cache.load("old", "@mysql.old") is None
    assert cache.load("new", "@mysql.new") is not None


# ---- Our own writes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("table", "schema"), [("orders", None), ("ORDERS", None), ("orders", "shop")])
def test_a_table_that_was_written_to_says_so(cache: SchemaCache, table: str, schema: str | None) -> None:
    cache.store("f", READING)
    cache.mark_written("f", table, schema)
    assert known(cache).catalog.tables == (PEOPLE, replace(ORDERS, written=True))


def test_a_table_that_a_run_has_made_is_there_with_unknown_columns(cache: SchemaCache) -> None:
    cache.store("f", READING)
    cache.mark_written("f", "fresh")
    fresh = known(cache).catalog.table("fresh")
    assert fresh is not None
    assert (fresh.info, fresh.columns) == (TableInfo("shop", "fresh", written=True), None)


def test_reading_it_again_makes_it_known_again(cache: SchemaCache) -> None:
    cache.store("f", READING)
    cache.mark_written("f", "orders")
    cache.store_tables("f", replace(READING, tables=[ORDERS]))
    found = known(cache).catalog.find("orders")
    assert found is not None
    assert not found.written


def test_a_table_that_was_written_to_while_all_was_read_counts_as_written_still(cache: SchemaCache) -> None:
    cache.store("f", READING)
    begin = datetime.now(UTC)
    cache.mark_written("f", "orders")
    cache.mark_written("f", "fresh")
    cache.store("f", replace(READING, read_at=begin))
    written = {info.name: info.written for info in known(cache).catalog.tables}
    assert written == {"People": False, "orders": True, "fresh": True}

    cache.store("f", replace(READING, read_at=datetime.now(UTC) + timedelta(milliseconds=1)))
    assert known(cache).catalog.tables == (PEOPLE, ORDERS)


def test_a_write_to_what_nobody_has_discovered_makes_no_file(cache: SchemaCache) -> None:
    cache.mark_written("f", "orders")
    assert not cache.state.path.exists()


# ---- Changes ---------------------------------------------------------------------------------------------------------


def test_every_change_is_another_generation_and_no_other_reading_gets_one(cache: SchemaCache) -> None:
    assert cache.generation("f") is None
    cache.store("g", READING)
    other = cache.generation("g")
    cache.store("f", READING)
    seen = {cache.generation("f")}
    changes: list[Callable[[], None]] = [
        lambda: cache.mark_written("f", "orders"),
        lambda: cache.store_tables("f", READING),
        lambda: cache.remove_table("f", "shop", "orders"),
        lambda: cache.store("f", READING),
    ]
    for change in changes:
        change()
        assert cache.generation("f") == known(cache).generation
        seen.add(cache.generation("f"))
    assert len(seen) == 5
    assert cache.generation("g") == other


def test_the_columns_of_a_table_that_is_gone_meanwhile_are_not_known(cache: SchemaCache) -> None:
    cache.store("f", READING)
    before = known(cache).catalog
    cache.store("f", replace(READING, tables=[PEOPLE], columns={}))
    assert before.columns(ORDERS) is None


def test_the_columns_are_not_known_while_the_store_cannot_be_read(cache: SchemaCache) -> None:
    cache.store("f", READING)
    catalog = known(cache).catalog
    cache.state.close()
    with sqlite3.connect(cache.state.path) as db:
        db.execute("PRAGMA user_version = 1000")  # a newer version of Osiris
    db.close()
    assert catalog.columns(ORDERS) is None


class CountingStore(StateStore):
    reads = 0

    def read(self, work: Callable[[sqlite3.Connection], Any], *, absent: Any) -> Any:
        self.reads += 1
        return super().read(work, absent=absent)


def test_the_columns_of_5000_tables_are_fetched_table_by_table_and_once(tmp_path: Path) -> None:
    columns = tuple(Column(f"c{number}", "varchar(20)", "string", True) for number in range(20))
    tables = [TableInfo("shop", f"t{number:04}") for number in range(5_000)]
    with CountingStore(tmp_path / "state.db") as store:
        cache = SchemaCache(store)
        cache.store("f", replace(READING, tables=tables, columns={("shop", t.name): columns for t in tables}))
        found = known(cache)
        assert (len(found.catalog.tables), found.columns_known, store.reads) == (5_000, 5_000, 1)
        for name in ("t0007", "t4999", "t0007", "t0007"):
            table = found.catalog.table(name)
            assert table is not None
            assert table.columns == columns
        assert store.reads == 3


# ---- Columns as text -------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    st.lists(
        st.builds(
            Column,
            TEXTS,
            TEXTS,
            TEXTS,
            st.none() | st.booleans(),
            st.integers(0, 9),
            st.booleans(),
            TEXTS,
            st.booleans(),
            TEXTS,
            st.lists(TEXTS, max_size=3).map(tuple),
        ),
        max_size=4,
    ).map(tuple)
)
def test_columns_come_back_as_they_were(columns: tuple[Column, ...]) -> None:
    text = _columns_text(columns)
    assert text is not None
    assert _columns_of(text) == columns
