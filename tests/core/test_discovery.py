"""DiscoveryAgent: tables, then columns, then samples; from the cache while nothing has changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from osiris.core.cache_fingerprint import SchemaFingerprint
from osiris.core.config import ConnectionConfig, ResolvedConnection
from osiris.core.discovery import DiscoveryAgent
from osiris.core.error_taxonomy import ConfigurationError, ConnectionError, ValidationError
from osiris.core.schema_cache import SchemaCache


@pytest.fixture
def change(tmp_path: Path) -> Callable[[str], None]:
    """Runs a statement in ``shop.db``, which has a table ``users``."""

    def run(statement: str) -> None:
        with sqlite3.connect(tmp_path / "shop.db") as db:
            db.execute(statement)
        db.close()

    run("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
    run("INSERT INTO users VALUES (1, 'Ada'), (2, 'Alan')")
    return run


def agent(root: Path, **more: object) -> DiscoveryAgent:
    return DiscoveryAgent({"family": "sqlite", "path": "shop.db"}, root=root, **more)  # type: ignore[arg-type]


def tables(found: DiscoveryAgent) -> list[str]:
    return [info.name for info in found.discover_schema().tables]


def test_a_schema_is_read_once_while_nothing_has_changed(tmp_path: Path, change: Callable[[str], None]) -> None:
    assert tables(agent(tmp_path)) == ["users"]
    change("CREATE TABLE orders (id)")
    assert tables(agent(tmp_path)) == ["users"]
    assert [info.name for info in agent(tmp_path).discover_schema(refresh=True).tables] == ["orders", "users"]


def test_a_reading_that_is_too_old_is_made_anew(tmp_path: Path, change: Callable[[str], None]) -> None:
    assert tables(agent(tmp_path)) == ["users"]
    change("CREATE TABLE orders (id)")
    assert tables(agent(tmp_path, max_age=timedelta(0))) == ["orders", "users"]


def test_another_database_is_another_cache(tmp_path: Path, change: Callable[[str], None]) -> None:
    assert tables(agent(tmp_path)) == ["users"]
    with sqlite3.connect(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE elsewhere (id)")
    db.close()
    other = DiscoveryAgent({"type": "sqlite", "path": "other.db"}, root=tmp_path)
    assert tables(other) == ["elsewhere"]
    assert other.fingerprint != agent(tmp_path).fingerprint


def test_after_a_write_of_ours_the_schema_is_read_anew(tmp_path: Path, change: Callable[[str], None]) -> None:
    first = agent(tmp_path)
    assert tables(first) == ["users"]
    change("ALTER TABLE users ADD COLUMN age INTEGER")
    first.cache.mark_written(first.fingerprint, "users")
    assert [column.name for column in first.get_columns("users")] == ["id", "name", "age"]


def test_it_goes_from_tables_to_columns_to_samples(tmp_path: Path, change: Callable[[str], None]) -> None:
    change("CREATE TABLE orders (id)")
    found = agent(tmp_path)

    def columns_known() -> int:
        known = SchemaCache().load(found.fingerprint, "")
        return -1 if known is None else known.columns_known

    assert columns_known() == -1
    assert [info.name for info in found.get_tables()] == ["orders", "users"]
    assert columns_known() == 0
    assert [(column.name, column.type) for column in found.get_columns("users")] == [
        ("id", "INTEGER"),
        ("name", "TEXT"),
    ]
    assert columns_known() == 1
    found.discover_schema()
    assert columns_known() == 2
    sample = found.get_samples("users", rows=1)
    assert (sample.columns, sample.rows) == (("id", "name"), ((1, "Ada"),))


def test_a_table_that_is_not_there_is_an_error_with_its_neighbour(
    tmp_path: Path, change: Callable[[str], None]
) -> None:
    with pytest.raises(ValidationError, match=r"There is no table usres in @sqlite\.default\.") as error:
        agent(tmp_path).get_columns("usres")
    assert error.value.hint == "Did you mean users?"


def test_a_database_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"shop\.db"):
        agent(tmp_path).discover_schema()


CONNECTIONS = "connections:\n  sqlite:\n    shop: {path: '${SHOP_DB}'}\n"


def test_every_way_to_name_a_connection_leads_to_the_same_database(
    tmp_path: Path, change: Callable[[str], None]
) -> None:
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS)
    (tmp_path / ".env").write_text("SHOP_DB=shop.db\n")
    config = ConnectionConfig("sqlite", "shop", {"path": "${SHOP_DB}"})
    ways = [
        "@sqlite.shop",
        config,
        ResolvedConnection("@sqlite.shop", {"path": "shop.db"}, ()),
        {"type": "sqlite", "path": str(tmp_path / "shop.db")},
    ]
    assert [tables(DiscoveryAgent(way, root=tmp_path)) for way in ways] == [["users"]] * 4  # type: ignore[arg-type]
    by_name, by_config, resolved, mapping = (DiscoveryAgent(w, root=tmp_path).fingerprint for w in ways)  # type: ignore[arg-type]
    assert by_name == by_config
    assert resolved == mapping == SchemaFingerprint.of_fields("sqlite", {"path": "shop.db"}, root=tmp_path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path": "shop.db"}, "does not say what it leads to"),
        ({"family": "sqlite", "path": "${NOT_SET}"}, "NOT_SET is not set"),
        ("@sqlite.shop", "no osiris_connections.yaml"),
        (ResolvedConnection("@sqlite.x", {"path": "a${b}"}, ()), r"The field path holds the characters \$\{"),
    ],
)
def test_a_connection_that_cannot_be_used_is_said_at_once(tmp_path: Path, given: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        DiscoveryAgent(given, root=tmp_path)  # type: ignore[arg-type]


def test_a_family_without_a_catalog_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Connections of the family oracle cannot be discovered"):
        DiscoveryAgent({"family": "oracle"}, root=tmp_path).discover_schema()
