"""Discovery of MySQL and MariaDB, on a real MariaDB server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from osiris.core.catalog_source import CatalogSession, Timeouts, catalog_source
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.drivers.mysql.arrow_types import arrow_type
from osiris.language.catalog import Column, Columns, TableInfo
from servers import MariaDB

Discover = Callable[..., CatalogSession]


@pytest.fixture
def discover(mariadb: MariaDB, tmp_path: Path) -> Iterator[Discover]:
    """Fills a fresh database and opens a session on it."""
    with ExitStack() as stack:

        def open_session(*statements: str) -> CatalogSession:
            database = stack.enter_context(mariadb.database(*statements))
            source = catalog_source("mysql")
            return stack.enter_context(
                source.connect(mariadb.fields(database), root=tmp_path, timeouts=Timeouts(connect=5, statement=10))
            )

        yield open_session


def _tables(session: CatalogSession) -> dict[str, TableInfo]:
    home = session.server().default_schema
    return {info.name: info for info in session.tables() if info.schema == home}


def _columns(session: CatalogSession, table: str) -> Columns:
    return session.columns()[session.server().default_schema, table]


def test_a_table_has_its_columns_with_types_keys_and_comments(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE customers (id int unsigned PRIMARY KEY, email varchar(80) NOT NULL UNIQUE)",
        """CREATE TABLE orders (
            id bigint NOT NULL AUTO_INCREMENT, line smallint, customer int unsigned NOT NULL,
            amount decimal(12,4) NOT NULL COMMENT 'in EUR', status enum('new','paid','it''s') DEFAULT 'new',
            double_amount decimal(13,4) AS (amount * 2) STORED,
            PRIMARY KEY (id, line), FOREIGN KEY (customer) REFERENCES customers (id)
        ) COMMENT 'what was bought'""",
    )

    assert _tables(session)["orders"] == TableInfo(
        session.server().default_schema, "orders", comment="what was bought", rows=0
    )
    assert _columns(session, "orders") == (
        Column("id", "bigint(20)", "int64", nullable=False, primary_key=1),
        Column("line", "smallint(6)", "int16", nullable=False, primary_key=2),
        Column("customer", "int(10) unsigned", "uint32", nullable=False, references="customers.id"),
        Column("amount", "decimal(12,4)", "decimal128(12, 4)", nullable=False, comment="in EUR"),
        Column("status", "enum('new','paid','it''s')", "string", nullable=True, values=("new", "paid", "it's")),
        Column("double_amount", "decimal(13,4)", "decimal128(13, 4)", nullable=True, generated=True),
    )
    assert _columns(session, "customers")[1] == Column("email", "varchar(80)", "string", nullable=False, unique=True)


def test_views_and_partitioned_tables_are_told_from_tables(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE plain (a int)",
        "CREATE VIEW seen AS SELECT a, a + 1 AS b FROM plain",
        "CREATE TABLE parts (day date) PARTITION BY RANGE (year(day)) (PARTITION p VALUES LESS THAN MAXVALUE)",
        "CREATE TABLE versions (a int) WITH SYSTEM VERSIONING",
        "CREATE SEQUENCE numbers",
    )

    assert {name: info.kind for name, info in _tables(session).items()} == {
        "plain": "table",
        "seen": "view",
        "parts": "partitioned table",
        "versions": "table",
    }
    assert [column.name for column in _columns(session, "seen")] == ["a", "b"]


def test_names_may_hold_anything(discover: Discover) -> None:
    session = discover(
        'CREATE TABLE `select` (`from` int, `Größe in m²` int, `a``b` int, `c.d` int, `"` int, `a b%s` int)',
        "CREATE TABLE `注文` (`顧客` int)",
        "CREATE TABLE `Mixed``Case ${X}` (`Id` int)",
        "INSERT INTO `select` VALUES (1, 2, 3, 4, 5, 6)",
    )

    tables = _tables(session)
    assert list(tables) == ["Mixed`Case ${X}", "select", "注文"]
    names = [column.name for column in _columns(session, "select")]
    assert names == ["from", "Größe in m²", "a`b", "c.d", '"', "a b%s"]
    assert [column.name for column in _columns(session, "注文")] == ["顧客"]
    sample = session.sample(tables["select"], 5)
    assert (list(sample.columns), sample.rows) == (names, ((1, 2, 3, 4, 5, 6),))


def test_columns_of_chosen_tables_are_read_alone(discover: Discover) -> None:
    session = discover("CREATE TABLE a (x int PRIMARY KEY)", "CREATE TABLE b (y int)", "CREATE TABLE `A` (z int)")
    tables = _tables(session)

    found = session.columns([tables["a"]])

    assert list(found) == [(tables["a"].schema, "a")]
    assert found[tables["a"].schema, "a"] == (Column("x", "int(11)", "int32", nullable=False, primary_key=1),)
    assert session.columns([]) == {}


def test_a_view_whose_table_is_gone_has_no_columns(discover: Discover) -> None:
    session = discover("CREATE TABLE gone (a int)", "CREATE VIEW broken AS SELECT a FROM gone", "DROP TABLE gone")

    home = session.server().default_schema
    assert _tables(session)["broken"].kind == "view"
    assert (home, "broken") not in session.columns()


def test_other_databases_are_seen_and_the_servers_own_are_not(mariadb: MariaDB, tmp_path: Path) -> None:
    with (
        mariadb.database("CREATE TABLE here (a int PRIMARY KEY)") as home,
        mariadb.database(f"CREATE TABLE there (a int, FOREIGN KEY (a) REFERENCES {home}.here (a))") as other,
        catalog_source("mysql").connect(mariadb.fields(home), root=tmp_path, timeouts=Timeouts()) as session,
    ):
        places = [(info.schema, info.name) for info in session.tables()]
        assert [place for place in places if place[0] in (home, other)] == sorted([(home, "here"), (other, "there")])
        assert not {schema for schema, _ in places} & {"mysql", "information_schema", "performance_schema", "sys"}
        assert session.columns()[other, "there"][0].references == f"{home}.here.a"


def test_a_user_who_may_read_single_tables_is_told_that_others_do_not_show(mariadb: MariaDB, tmp_path: Path) -> None:
    source, timeouts = catalog_source("mysql"), Timeouts(connect=5, statement=10)
    with mariadb.database("CREATE TABLE open_one (a INT)", "CREATE TABLE closed (a INT)") as database:
        mariadb.execute(
            "CREATE USER single@'%' IDENTIFIED BY 'p', wide@'%' IDENTIFIED BY 'p'",
            f"GRANT SELECT ON {database}.open_one TO single@'%'",
            f"GRANT SELECT ON {database}.* TO wide@'%'",
        )
        remarks = {}
        for user in ("single", "wide"):
            fields = {**mariadb.fields(database), "user": user, "password": "p"}
            with source.connect(fields, root=tmp_path, timeouts=timeouts) as session:
                remarks[user] = session.server().remarks

    assert remarks == {
        "single": ("single is granted the reading of one table alone; others do not show on this server.",),
        "wide": (),
    }


def test_a_user_sees_only_what_he_has_rights_to(mariadb: MariaDB, tmp_path: Path) -> None:
    with mariadb.database("CREATE TABLE open_one (a int, b int)", "CREATE TABLE closed (a int)") as database:
        mariadb.execute(
            "CREATE USER reader@'%' IDENTIFIED BY 'reading-0nly'",
            f"GRANT SELECT (a) ON {database}.open_one TO reader@'%'",
        )
        try:
            fields = mariadb.fields(database, user="reader", password="reading-0nly")
            with catalog_source("mysql").connect(fields, root=tmp_path, timeouts=Timeouts()) as session:
                assert [info.name for info in session.tables()] == ["open_one"]
                assert [column.name for column in session.columns()[database, "open_one"]] == ["a"]
                assert session.sample(session.tables()[0], 1).columns == ("a",)
        finally:
            mariadb.execute("DROP USER reader@'%'")


def test_nothing_can_be_written(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE t (a int)",
        "CREATE FUNCTION sneaky() RETURNS int BEGIN INSERT INTO t VALUES (1); RETURN 1; END",
        "CREATE VIEW writes AS SELECT sneaky() AS a",
    )

    with pytest.raises(Unreachable, match="READ ONLY"):
        session.sample(_tables(session)["writes"], 1)


def test_a_sample_holds_plain_values(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE t (i int, d decimal(5,2), t datetime(3), b blob, n int, j json, e enum('x'), z time)",
        "INSERT INTO t VALUES (1, 2.50, '2026-01-31 10:00:00.5', x'00ff', NULL, '{}', 'x', '-100:00:00')",
    )

    sample = session.sample(_tables(session)["t"], 3)

    assert sample.columns == ("i", "d", "t", "b", "n", "j", "e", "z")
    assert sample.rows == ((1, "2.50", "2026-01-31 10:00:00.500", "0x00ff", None, "{}", "x", "-100:00:00"),)


def test_a_sample_shows_values_as_runs_read_them_and_the_server_writes_them(mariadb: MariaDB, tmp_path: Path) -> None:
    in_zone = mariadb.connect(init_command="SET time_zone = '+05:00'")
    with mariadb.database("CREATE TABLE t (at timestamp(3), long_ago time, d decimal(12,10), day date)") as database:
        with in_zone.cursor() as cursor:
            cursor.execute("SET sql_mode = ''")
            cursor.execute(
                f"INSERT INTO {database}.t VALUES ('2026-07-01 17:00:00.5', '-838:59:59', 0, '0000-00-00'), "
                "('2026-07-01 17:00:00', NULL, -0.0000000001, '2026-02-28')"
            )
            cursor.execute("SELECT @@global.time_zone")
            ((before,),) = cursor.fetchall()
            cursor.execute("SET GLOBAL time_zone = '+05:00'")
        try:
            with catalog_source("mysql").connect(
                mariadb.fields(database), root=tmp_path, timeouts=Timeouts(connect=5, statement=10)
            ) as session:
                sample = session.sample(_tables(session)["t"], 5)
        finally:
            in_zone.cursor().execute(f"SET GLOBAL time_zone = '{before}'")
            in_zone.close()

    assert sample.rows == (
        ("2026-07-01 12:00:00.500", "-838:59:59", "0.0000000000", "0000-00-00"),
        ("2026-07-01 12:00:00.000", None, "-0.0000000001", "2026-02-28"),
    )


def test_a_password_may_hold_any_letter(mariadb: MariaDB, tmp_path: Path) -> None:
    with mariadb.database("CREATE TABLE t (a int)") as database:
        for password in ("pä", "Zq7!pär€x$k", "密码"):
            mariadb.execute("CREATE USER anyone@'%' IDENTIFIED BY '" + password + "'")
            try:
                mariadb.execute(f"GRANT SELECT ON {database}.* TO anyone@'%'")
                fields = mariadb.fields(database, user="anyone", password=password)
                with catalog_source("mysql").connect(
                    fields, root=tmp_path, timeouts=Timeouts(connect=5, statement=10)
                ) as session:
                    assert list(_tables(session)) == ["t"]
            finally:
                mariadb.execute("DROP USER anyone@'%'")


def test_the_server_says_what_it_is(discover: Discover) -> None:
    session = discover()

    info = session.server()

    assert (info.product, info.user, info.remarks) == ("MariaDB", "osiris", ())
    assert re.fullmatch(r"\d+\.\d+\.\d+", info.version)


@pytest.mark.parametrize(
    ("own", "arrow"),
    [
        ("tinyint(1)", "int8"),
        ("tinyint(3) unsigned", "uint8"),
        ("mediumint(9)", "int32"),
        ("bigint(20) unsigned zerofill", "uint64"),
        ("decimal(10,0)", "decimal128(10, 0)"),
        ("decimal(12,4) unsigned", "decimal128(12, 4)"),
        ("decimal(65,30)", "decimal256(65, 30)"),
        ("float", "float"),
        ("float(7,2)", "float"),
        ("double", "double"),
        ("varchar(80)", "string"),
        ("longtext", "string"),
        ("enum('a')", "string"),
        ("set('a','b')", "string"),
        ("json", "string"),
        ("uuid", "string"),
        ("varbinary(20)", "binary"),
        ("longblob", "binary"),
        ("bit(1)", "binary"),
        ("date", "date32[day]"),
        ("datetime(6)", "timestamp[us]"),
        ("timestamp", "timestamp[us]"),
        ("time", "duration[us]"),
        ("year(4)", "int16"),
        ("multipolygon", "binary"),
        ("vector(3)", ""),
        ("", ""),
    ],
)
def test_types_have_arrow_types(own: str, arrow: str) -> None:
    assert arrow_type(own) == arrow


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("enum('a','b')", ("a", "b")),
        ("enum('it''s','a,b',')','')", ("it's", "a,b", ")", "")),
        ("varchar(3)", ()),
        ("set('a')", ()),
    ],
)
def test_enum_labels_are_read_from_the_type(written: str, labels: tuple[str, ...], discover: Discover) -> None:
    session = discover(f"CREATE TABLE t (a {written})")

    assert _columns(session, "t")[0].values == labels


def test_odd_enum_labels_come_through(discover: Discover) -> None:
    session = discover(r"CREATE TABLE t (a enum('back\\slash', 'line\nend', 'quo\"te', 'größe'))")

    assert _columns(session, "t")[0].values == ("back\\slash", "line\nend", 'quo"te', "größe")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"database": None}, "The connection has no field database."),
        ({"user": ""}, "The connection has no field user."),
        ({"port": "x"}, "it must be a whole number from 1 to 65535"),
        ({"ssl_mode": "always"}, "The field ssl_mode of the connection must be one of disabled, preferred"),
        ({"ssl_ca": "ca.pem"}, "The file ca.pem that the field ssl_ca of the connection names does not exist."),
    ],
)
def test_fields_that_cannot_be_used_are_named(
    fields: dict[str, object], message: str, mariadb: MariaDB, tmp_path: Path
) -> None:
    with (
        pytest.raises(ConfigurationError, match=message),
        catalog_source("mysql").connect(mariadb.fields("mysql") | fields, root=tmp_path, timeouts=Timeouts()),
    ):
        pass


def test_tables_that_differ_in_case_or_accents_alone_stay_apart(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE orders (a int)",
        "CREATE TABLE Orders (b int)",
        "CREATE TABLE cafe (c int)",
        "CREATE TABLE café (d int)",
    )
    names = {info.name: [column.name for column in _columns(session, info.name)] for info in session.tables()}
    assert names == {"orders": ["a"], "Orders": ["b"], "cafe": ["c"], "café": ["d"]}


def test_comments_and_names_may_hold_any_character(discover: Discover) -> None:
    comment = "first\x1esecond\x1f2\x1fthird"
    session = discover(
        f"CREATE TABLE odd (id int COMMENT '{comment}', `a\x1fb` enum('\x1e') NOT NULL)",
        "CREATE TABLE plain (id int)",
    )
    first, second = _columns(session, "odd")
    assert (first.name, first.type, first.comment) == ("id", "int(11)", comment)
    assert (second.name, second.values, second.nullable) == ("a\x1fb", ("\x1e",), False)
    assert [column.name for column in _columns(session, "plain")] == ["id"]
    odd = [info for info in session.tables() if info.name == "odd"]
    assert [column.name for column in session.columns(odd)[odd[0].schema, "odd"]] == ["id", "a\x1fb"]
