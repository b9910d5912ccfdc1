"""Discovery of PostgreSQL, on a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from osiris.core.catalog_source import CatalogSession, Timeouts, catalog_source
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.drivers.postgres.arrow_types import arrow_type
from osiris.language.catalog import Catalog, Column, Columns, TableInfo
from servers import PostgreSQL

Discover = Callable[..., CatalogSession]


@pytest.fixture
def discover(postgres: PostgreSQL, tmp_path: Path) -> Iterator[Discover]:
    """Fills a fresh database and opens a session on it."""
    with ExitStack() as stack:

        def open_session(*statements: str) -> CatalogSession:
            database = stack.enter_context(postgres.database(*statements))
            source = catalog_source("postgres")
            return stack.enter_context(
                source.connect(postgres.fields(database), root=tmp_path, timeouts=Timeouts(connect=5, statement=10))
            )

        yield open_session


def _tables(session: CatalogSession) -> dict[str, TableInfo]:
    return {info.name: info for info in session.tables()}


def _columns(session: CatalogSession, table: str, schema: str = "public") -> Columns:
    return session.columns()[schema, table]


def test_a_table_has_its_columns_with_types_keys_and_comments(discover: Discover) -> None:
    session = discover(
        "CREATE TYPE status AS ENUM ('new', 'paid', 'it''s')",
        "CREATE TABLE customers (id int PRIMARY KEY, email varchar(80) NOT NULL UNIQUE)",
        """CREATE TABLE orders (
            id bigint GENERATED ALWAYS AS IDENTITY, line smallint, customer int NOT NULL REFERENCES customers,
            amount numeric(12,4) NOT NULL, status status DEFAULT 'new',
            double_amount numeric(13,4) GENERATED ALWAYS AS (amount * 2) STORED,
            PRIMARY KEY (id, line))""",
        "COMMENT ON TABLE orders IS 'what was bought'",
        "COMMENT ON COLUMN orders.amount IS 'in EUR'",
    )

    assert _tables(session)["orders"] == TableInfo("public", "orders", comment="what was bought")
    assert _columns(session, "orders") == (
        Column("id", "bigint", "int64", nullable=False, primary_key=1),
        Column("line", "smallint", "int16", nullable=False, primary_key=2),
        Column("customer", "integer", "int32", nullable=False, references="customers.id"),
        Column("amount", "numeric(12,4)", "decimal128(12, 4)", nullable=False, comment="in EUR"),
        Column("status", "status", "string", nullable=True, values=("new", "paid", "it's")),
        Column("double_amount", "numeric(13,4)", "decimal128(13, 4)", nullable=True, generated=True),
    )
    assert _columns(session, "customers")[1] == Column(
        "email", "character varying(80)", "string", nullable=False, unique=True
    )


def test_keys_of_several_columns_keep_their_order(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE a (x int, y int, z int UNIQUE, PRIMARY KEY (y, x), UNIQUE (x, z))",
        "CREATE TABLE b (p int, q int, FOREIGN KEY (p, q) REFERENCES a (y, x))",
        "CREATE TABLE c (k int, v int, w int)",
        "CREATE UNIQUE INDEX ON c (k) INCLUDE (v)",
        "CREATE UNIQUE INDEX ON c (v) WHERE k > 0",
        "CREATE UNIQUE INDEX ON c (abs(w))",
    )

    assert [(c.name, c.primary_key, c.unique) for c in _columns(session, "a")] == [
        ("x", 2, False),
        ("y", 1, False),
        ("z", 0, True),
    ]
    assert [(c.name, c.references) for c in _columns(session, "b")] == [("p", "a.y"), ("q", "a.x")]
    assert [(c.name, c.unique) for c in _columns(session, "c")] == [("k", True), ("v", False), ("w", False)]


def test_every_kind_of_table_is_told(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE plain (a int NOT NULL)",
        "CREATE VIEW seen AS SELECT a, a + 1 AS b FROM plain",
        "CREATE MATERIALIZED VIEW kept AS SELECT a FROM plain",
        "CREATE TABLE parts (day date) PARTITION BY RANGE (day)",
        "CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "CREATE FOREIGN DATA WRAPPER nothing",
        "CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing",
        "CREATE FOREIGN TABLE remote (a int) SERVER elsewhere",
        "CREATE SEQUENCE numbers",
        "CREATE TYPE pair AS (a int, b int)",
    )

    assert {name: info.kind for name, info in _tables(session).items()} == {
        "kept": "materialized view",
        "parts": "partitioned table",
        "plain": "table",
        "remote": "foreign table",
        "seen": "view",
    }
    columns = session.columns()
    assert {name: [c.name for c in found] for (_, name), found in columns.items()} == {
        "kept": ["a"],
        "parts": ["day"],
        "plain": ["a"],
        "remote": ["a"],
        "seen": ["a", "b"],
    }
    assert columns["public", "seen"][0].nullable is None


def test_a_reference_to_a_partitioned_table_names_that_table(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (10)",
        "CREATE TABLE uses (part int REFERENCES parts)",
    )

    assert _columns(session, "uses")[0].references == "parts.id"


def test_arrays_domains_and_their_mixtures_have_arrow_types(discover: Discover) -> None:
    session = discover(
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE >= 0) NOT NULL",
        "CREATE DOMAIN moods AS mood[]",
        "CREATE DOMAIN my_mood AS mood",
        "CREATE TYPE pair AS (a int, b int)",
        """CREATE TABLE t (
            a int[], b text[][], c mood[], d price, e price[], f moods, g my_mood, h pair, i numeric, j jsonb,
            k timestamptz, l varchar(3)[], m int4range, n interval day to second, o timestamp(3), p "char")""",
    )

    assert [(c.name, c.type, c.arrow, c.nullable, c.values) for c in _columns(session, "t")] == [
        ("a", "integer[]", "list<item: int32>", True, ()),
        ("b", "text[]", "list<item: string>", True, ()),
        ("c", "mood[]", "list<item: string>", True, ()),
        ("d", "price", "decimal128(10, 2)", False, ()),
        ("e", "price[]", "list<item: decimal128(10, 2)>", True, ()),
        ("f", "moods", "list<item: string>", True, ()),
        ("g", "my_mood", "string", True, ("good", "bad")),
        ("h", "pair", "", True, ()),
        ("i", "numeric", "", True, ()),
        ("j", "jsonb", "string", True, ()),
        ("k", "timestamp with time zone", "timestamp[us, tz=UTC]", True, ()),
        ("l", "character varying(3)[]", "list<item: string>", True, ()),
        ("m", "int4range", "", True, ()),
        ("n", "interval day to second", "month_day_nano_interval", True, ()),
        ("o", "timestamp(3) without time zone", "timestamp[us]", True, ()),
        ("p", '"char"', "string", True, ()),
    ]


def test_names_may_hold_anything(discover: Discover) -> None:
    session = discover(
        'CREATE TABLE "select" ("from" int, "Größe in m²" int, "a""b" int, "c.d" int, "`" int, "a b%s" int)',
        'CREATE TABLE "注文" ("顧客" int, "🛒" int)',
        'CREATE TABLE "Mixed""Case ${X}" ("Id" int, id int)',
        "CREATE TABLE mixedcase (a int)",
        'INSERT INTO "select" VALUES (1, 2, 3, 4, 5, 6)',
    )

    tables = _tables(session)
    assert list(tables) == ['Mixed"Case ${X}', "mixedcase", "select", "注文"]
    names = [column.name for column in _columns(session, "select")]
    assert names == ["from", "Größe in m²", 'a"b', "c.d", "`", "a b%s"]
    assert [column.name for column in _columns(session, "注文")] == ["顧客", "🛒"]
    assert [column.name for column in _columns(session, 'Mixed"Case ${X}')] == ["Id", "id"]
    sample = session.sample(tables["select"], 5)
    assert (list(sample.columns), sample.rows) == (names, ((1, 2, 3, 4, 5, 6),))


def test_several_schemas_are_seen_and_the_systems_own_are_not(discover: Discover) -> None:
    session = discover(
        "CREATE SCHEMA sales",
        'CREATE SCHEMA "Odd.Schema"',
        "CREATE TABLE orders (id int PRIMARY KEY)",
        "CREATE TABLE sales.orders (id int REFERENCES public.orders)",
        'CREATE TABLE "Odd.Schema".orders (id int)',
        "CREATE TYPE sales.kind AS ENUM ('a')",
        "CREATE TABLE sales.kinds (kind sales.kind)",
    )

    assert [(info.schema, info.name) for info in session.tables()] == [
        ("Odd.Schema", "orders"),
        ("public", "orders"),
        ("sales", "kinds"),
        ("sales", "orders"),
    ]
    assert _columns(session, "orders", "sales")[0].references == "public.orders.id"
    assert _columns(session, "kinds", "sales") == (Column("kind", "sales.kind", "string", True, values=("a",)),)


def test_the_field_schema_says_where_tables_are_looked_for(postgres: PostgreSQL, tmp_path: Path) -> None:
    with (
        postgres.database("CREATE SCHEMA sales") as database,
        catalog_source("postgres").connect(
            postgres.fields(database, schema="sales"), root=tmp_path, timeouts=Timeouts()
        ) as session,
    ):
        assert session.server().default_schema == "sales"


def test_columns_of_chosen_tables_are_read_alone(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE a (x int PRIMARY KEY)", "CREATE TABLE b (y int REFERENCES a)", 'CREATE TABLE "A" (z int)'
    )
    tables = _tables(session)

    found = session.columns([tables["b"], tables["A"]])

    assert found == {
        ("public", "b"): (Column("y", "integer", "int32", nullable=True, references="a.x"),),
        ("public", "A"): (Column("z", "integer", "int32", nullable=True),),
    }
    assert session.columns([]) == {}


def test_tables_without_rights_are_there_without_columns(postgres: PostgreSQL, tmp_path: Path) -> None:
    with postgres.database(
        "CREATE ROLE reader LOGIN PASSWORD 'reading-0nly'",
        "CREATE SCHEMA hidden",
        "CREATE TABLE open_one (a int)",
        "GRANT SELECT ON open_one TO reader",
        "CREATE TABLE half (a int, b int)",
        "GRANT SELECT (a) ON half TO reader",
        "CREATE TABLE closed (a int)",
        "CREATE TABLE hidden.granted (a int)",
        "GRANT SELECT ON hidden.granted TO reader",
    ) as database:
        try:
            fields = postgres.fields(database, user="reader", password="reading-0nly")
            with catalog_source("postgres").connect(fields, root=tmp_path, timeouts=Timeouts()) as session:
                tables = session.tables()
                assert [info.name for info in tables] == ["granted", "closed", "half", "open_one"]
                columns = session.columns()
                assert {name: [c.name for c in found] for (_, name), found in columns.items()} == {
                    "half": ["a"],
                    "open_one": ["a"],
                }
                assert session.server().remarks == (
                    "reader may not read 2 tables, shown without columns: hidden.granted, public.closed.",
                    "reader may read only some columns of 1 table; the others are not shown.",
                )
                with pytest.raises(Unreachable, match="The user reader may not read this: permission denied for table"):
                    session.sample(tables[1], 1)
                assert session.sample(tables[2], 1).columns == ("a",)
                assert session.sample(tables[3], 1).columns == ("a",)  # an error ends nothing but itself
        finally:
            postgres.execute("DROP OWNED BY reader", "DROP ROLE reader", database=database)


def test_nothing_can_be_written(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE t (a int)",
        "CREATE FUNCTION sneaky() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING a'",
        "CREATE VIEW writes AS SELECT sneaky() AS a",
    )

    with pytest.raises(Unreachable, match="read-only transaction"):
        session.sample(_tables(session)["writes"], 1)


def test_estimates_of_rows_come_from_the_last_analyze(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE counted AS SELECT generate_series(1, 300) AS n", "ANALYZE counted", "CREATE TABLE fresh (a int)"
    )

    assert {name: info.rows for name, info in _tables(session).items()} == {"counted": 300, "fresh": None}


def test_a_sample_holds_plain_values(discover: Discover) -> None:
    session = discover(
        "CREATE TABLE t (i int, d numeric(5,2), t timestamp, b bytea, n int, j json, a text[], x date, f real, o bool)",
        """INSERT INTO t VALUES
            (1, 2.50, '2026-01-31 10:00:00.5', '\\x00ff', NULL, '{"k": 1}', '{a,"b c"}', 'infinity', 'NaN', true)""",
    )

    sample = session.sample(_tables(session)["t"], 3)

    assert sample.columns == ("i", "d", "t", "b", "n", "j", "a", "x", "f", "o")
    assert sample.rows == (
        (1, "2.50", "2026-01-31 10:00:00.5", "0x00ff", None, '{"k": 1}', '{a,"b c"}', "infinity", "nan", True),
    )


def test_a_sample_shows_values_as_runs_read_them(postgres: PostgreSQL, tmp_path: Path) -> None:
    with postgres.database(
        "CREATE TABLE t (at timestamptz, day date, long interval, d numeric, b bytea, f float8)",
        "INSERT INTO t VALUES ('2026-07-01 17:00+05', '2026-02-28', '-1 day 2h', 0.0000000000, 'ab', 0.1)",
    ) as database:
        for setting in (
            "timezone = 'Asia/Karachi'",
            "datestyle = 'German'",
            "intervalstyle = 'iso_8601'",
            "bytea_output = 'escape'",
            "extra_float_digits = -15",
        ):
            postgres.execute(f"ALTER DATABASE {database} SET {setting}")
        with catalog_source("postgres").connect(
            postgres.fields(database), root=tmp_path, timeouts=Timeouts(connect=5, statement=10)
        ) as session:
            sample = session.sample(_tables(session)["t"], 5)

    assert sample.rows == (
        ("2026-07-01 12:00:00+00", "2026-02-28", "-1 days +02:00:00", "0.0000000000", "0x6162", 0.1),
    )


def test_the_server_says_what_it_is(discover: Discover) -> None:
    info = discover().server()

    assert (info.product, info.default_schema, info.user, info.remarks) == ("PostgreSQL", "public", "osiris", ())
    assert " " not in info.version
    assert int(info.version.partition(".")[0]) >= 12


def test_a_supabase_project_is_read_by_its_database(postgres: PostgreSQL, tmp_path: Path) -> None:
    with (
        postgres.database("CREATE TABLE customers (id uuid PRIMARY KEY)") as database,
        catalog_source("supabase").connect(
            {"url": "https://abc.supabase.co", "key": "secret", "pg_dsn": postgres.dsn(database)},
            root=tmp_path,
            timeouts=Timeouts(),
        ) as session,
    ):
        assert session.server().default_schema == "public"
        assert session.columns()["public", "customers"] == (
            Column("id", "uuid", "string", nullable=False, primary_key=1),
        )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "has no field pg_dsn"),
        ({"pg_dsn": "https://user:pass-w0rd@host"}, "The field pg_dsn is no address of a PostgreSQL database"),
        ({"pg_dsn": "postgresql://u:pass-w0rd@h/d?pgbouncer=true"}, "The field pg_dsn is no address"),
        ({"pg_dsn": "postgresql://u:pass-w0rd@h/d?service=x"}, "The field pg_dsn may not say service"),
    ],
)
def test_an_address_of_supabase_that_cannot_be_used_is_told_without_its_password(
    fields: dict[str, str], message: str, tmp_path: Path
) -> None:
    with (
        pytest.raises(ConfigurationError, match=message) as caught,
        catalog_source("supabase").connect(fields, root=tmp_path, timeouts=Timeouts()),
    ):
        pass
    assert "pass-w0rd" not in f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"


def test_a_psycopg_that_has_no_libpq_is_named_with_the_command_that_brings_one() -> None:
    program = "from osiris.core.catalog_source import catalog_source; catalog_source('postgres')"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={**os.environ, "PSYCOPG_IMPL": "c"},  # an implementation that has to be built, which nobody has here
        capture_output=True,
        text=True,
        check=False,
    )

    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        "osiris.core.lookup.MissingPackageError: Discovery of postgres needs the Python package psycopg"
    )


@pytest.mark.parametrize(
    ("own", "arrow"),
    [
        ("boolean", "bool"),
        ("smallint", "int16"),
        ("double precision", "double"),
        ("numeric(10,0)", "decimal128(10, 0)"),
        ("numeric(50,3)", "decimal256(50, 3)"),
        ("numeric(3,5)", "decimal128(5, 5)"),
        ("numeric(3,-2)", "decimal128(3, -2)"),
        ("numeric(1000,0)", ""),
        ("character(3)", "string"),
        ("bit varying(5)", "string"),
        ("uuid", "string"),
        ("bytea", "binary"),
        ("time(3) without time zone", "time64[us]"),
        ("time with time zone", "string"),
        ("timestamp(6) with time zone", "timestamp[us, tz=UTC]"),
        ("bigint[]", "list<item: int64>"),
        ("interval", "month_day_nano_interval"),
        ("geometry(Point,4326)", ""),
        ('sales."Odd type"', ""),
        ("", ""),
    ],
)
def test_types_have_arrow_types(own: str, arrow: str) -> None:
    assert arrow_type(own) == arrow


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"database": None}, "The connection has no field database."),
        ({"user": ""}, "The connection has no field user."),
        ({"port": 70000}, "it must be a whole number from 1 to 65535"),
        ({"sslmode": "always"}, "The field sslmode of the connection must be one of disable, allow"),
        (
            {"sslrootcert": "ca.pem"},
            "The file ca.pem that the field sslrootcert of the connection names does not exist",
        ),
    ],
)
def test_fields_that_cannot_be_used_are_named(
    fields: dict[str, object], message: str, postgres: PostgreSQL, tmp_path: Path
) -> None:
    with (
        pytest.raises(ConfigurationError, match=message),
        catalog_source("postgres").connect(postgres.fields("postgres") | fields, root=tmp_path, timeouts=Timeouts()),
    ):
        pass


def test_names_that_hold_dots_are_found_as_they_are_said(discover: Discover) -> None:
    session = discover('CREATE SCHEMA "north.west"', 'CREATE TABLE "north.west"."orders.old" (id int)')
    catalog = Catalog("@postgres.shop", "postgres", session.tables(), session.columns(), default_schema="public")

    found = catalog.table("north.west.orders.old")

    assert found is not None
    assert found.info == TableInfo("north.west", "orders.old")
    assert [column.name for column in found.columns or ()] == ["id"]


def test_a_database_without_an_encoding_may_hold_anything(postgres: PostgreSQL, tmp_path: Path) -> None:
    postgres.execute("CREATE DATABASE latin ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        with postgres.connect("latin", client_encoding="latin1") as writer:
            writer.execute("CREATE TABLE orders (id int, caf\u00e9 text)")
            writer.execute("COMMENT ON TABLE orders IS 'Stra\u00dfe'")
            writer.execute("INSERT INTO orders VALUES (1, '\u00e9')")
        source = catalog_source("postgres")
        with source.connect(postgres.fields("latin"), root=tmp_path, timeouts=Timeouts()) as session:
            (orders,) = session.tables()
            assert orders.comment == "Stra\ufffde"
            assert [column.name for column in session.columns()["public", "orders"]] == ["id", "caf\ufffd"]
            assert session.sample(orders, 1).rows == ((1, "\ufffd"),)
    finally:
        postgres.drop("latin")
