"""Discovery of databases with very many tables, on real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from osiris.core.catalog_source import Timeouts, catalog_source
from servers import Server

TABLES = 5000


@pytest.mark.parametrize("family", ["mysql", "postgres"])
def test_five_thousand_tables_are_read_with_all_their_columns(
    family: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue({"mysql": "mariadb", "postgres": "postgres"}[family])
    kind = " ENGINE=MyISAM" if family == "mysql" else ""  # made faster; it is the number of tables that matters
    create = [f"CREATE TABLE t{number:04} (id int PRIMARY KEY, note varchar(20)){kind}" for number in range(TABLES)]
    source = catalog_source(family)
    with (
        server.database(*create) as database,
        source.connect(server.fields(database), root=tmp_path, timeouts=Timeouts()) as session,
    ):
        home = session.server().default_schema
        tables = [info for info in session.tables() if info.schema == home]
        columns = session.columns()

        assert [info.name for info in tables] == [f"t{number:04}" for number in range(TABLES)]
        assert {tuple(column.name for column in columns[home, info.name]) for info in tables} == {("id", "note")}
        few = session.columns(tables[:3])
        assert list(few) == [(home, info.name) for info in tables[:3]]
