"""Every type of MySQL, read by value: what DuckDB calls it, and how it writes it."""

from __future__ import annotations

import duckdb
import pytest

# Declared type: (value as SQL, DuckDB's type, DuckDB's text of it).
TYPES = {
    "TINYINT": ("-128", "TINYINT", "-128"),
    "TINYINT(1)": ("2", "TINYINT", "2"),
    "TINYINT UNSIGNED": ("255", "UTINYINT", "255"),
    "SMALLINT": ("-32768", "SMALLINT", "-32768"),
    "MEDIUMINT UNSIGNED": ("16777215", "UINTEGER", "16777215"),
    "INT": ("-2147483648", "INTEGER", "-2147483648"),
    "INT(6) ZEROFILL": ("42", "UINTEGER", "42"),
    "BIGINT": ("-9223372036854775808", "BIGINT", "-9223372036854775808"),
    "BIGINT UNSIGNED": ("18446744073709551615", "UBIGINT", "18446744073709551615"),
    "DECIMAL(12,4)": ("-12345678.9000", "DECIMAL(12,4)", "-12345678.9000"),
    "DECIMAL(5,0) UNSIGNED": ("99999", "DECIMAL(5,0)", "99999"),
    "DECIMAL(3,3)": ("0.125", "DECIMAL(3,3)", ".125"),
    "DECIMAL(38,10)": (
        "1234567890123456789012345678.0123456789",
        "DECIMAL(38,10)",
        "1234567890123456789012345678.0123456789",
    ),
    "DECIMAL(65,2)": ("123456789012345678901234567890.12", "DECIMAL(38,2)", "123456789012345678901234567890.12"),
    "FLOAT": ("16777215", "FLOAT", "16777215.0"),
    "FLOAT UNSIGNED": ("0.1", "FLOAT", "0.1"),
    "DOUBLE": ("0.1234567890123456", "DOUBLE", "0.1234567890123456"),
    "BIT(10)": ("b'1000000001'", "BLOB", "\\x02\\x01"),
    "DATE": ("'2024-02-29'", "DATE", "2024-02-29"),
    "DATETIME": ("'2024-01-31 23:59:59'", "TIMESTAMP", "2024-01-31 23:59:59"),
    "DATETIME(6)": ("'0999-01-31 23:59:59.000001'", "TIMESTAMP", "0999-01-31 23:59:59.000001"),
    "TIMESTAMP(3)": ("FROM_UNIXTIME(1700000000.125)", "TIMESTAMP", "2023-11-14 22:13:20.125"),
    "TIME": ("'-838:59:59'", "INTERVAL", "-838:59:59"),
    "TIME(6)": ("'-00:00:00.000001'", "INTERVAL", "-00:00:00.000001"),
    "YEAR": ("2155", "SMALLINT", "2155"),
    "CHAR(5)": ("'né'", "VARCHAR", "né"),
    "VARCHAR(20) CHARACTER SET latin1": ("'né'", "VARCHAR", "né"),
    "TEXT CHARACTER SET utf8mb4": ("'日本 🦆'", "VARCHAR", "日本 🦆"),
    "LONGTEXT": ("repeat('x', 300)", "VARCHAR", "x" * 300),
    "VARCHAR(9)": ("''", "VARCHAR", ""),
    "BINARY(3)": ("'a'", "BLOB", "a\\x00\\x00"),
    "VARBINARY(9)": ("x'00ff'", "BLOB", "\\x00\\xFF"),
    "BLOB": ("x''", "BLOB", ""),
    "JSON": ("""'{"a": [1, null]}'""", "VARCHAR", '{"a": [1, null]}'),
    "ENUM('new','it''s')": ("'it''s'", "VARCHAR", "it's"),
    "SET('a','b','c')": ("'c,a'", "VARCHAR", "a,c"),
    "POINT": ("POINT(0, 0)", "BLOB", "\\x00" * 4 + "\\x01\\x01" + "\\x00" * 19),
    "UUID": (
        "'123e4567-e89b-12d3-a456-426655440000'",
        "VARCHAR",
        "123e4567-e89b-12d3-a456-426655440000",
    ),
    "INET6": ("'::1'", "VARCHAR", "::1"),
}


# Three ways: the server joins the cells of a row, also those of a plain query, or each comes alone.
SOURCES = {
    "table": {"table": "t"},
    "query": {"query": "SELECT * FROM t -- all of it"},
    "query that is not plain": {"query": "SELECT * FROM t LIMIT 99;"},
}
ALL = [f"c{place}" for place in range(len(TYPES))]
READ_TYPES = {name: kind for name, (_, kind, _) in zip(ALL, TYPES.values(), strict=True)}
READ_ROWS = [tuple(text for _, _, text in TYPES.values()), tuple(None for _ in TYPES)]


def make_table_of_all_types(shop) -> None:
    columns = ", ".join(f"{name} {declared} NULL" for name, declared in zip(ALL, TYPES, strict=True))
    shop.execute(f"CREATE TABLE t ({columns})")


def fill(shop) -> None:
    values = ", ".join(value for value, _, _ in TYPES.values())
    shop.execute(f"INSERT INTO t VALUES ({values}), ({', '.join('NULL' for _ in TYPES)})")


def test_a_value_of_each_type_and_null_of_a_table(mysql_shop):
    make_table_of_all_types(mysql_shop)
    fill(mysql_shop)

    assert mysql_shop.rows(table="t") == (READ_TYPES, READ_ROWS)


@pytest.mark.parametrize("end", ["", " LIMIT 99"], ids=["plain", "not plain"])
def test_a_value_of_each_type_and_null_of_a_query(mysql_shop, end):
    make_table_of_all_types(mysql_shop)
    fill(mysql_shop)
    floats = [name for name, kind in READ_TYPES.items() if kind == "FLOAT"]
    whole = ", ".join(f"CAST({name} AS DOUBLE) AS {name}" if name in floats else name for name in ALL)

    types, rows = mysql_shop.rows(query=f"SELECT {whole} FROM t{end}")

    assert types == READ_TYPES | dict.fromkeys(floats, "DOUBLE")
    tenth = list(TYPES).index("FLOAT UNSIGNED")
    assert rows[0][tenth].startswith("0.1000000014")
    assert [(*row[:tenth], *row[tenth + 1 :]) for row in rows] == [(*r[:tenth], *r[tenth + 1 :]) for r in READ_ROWS]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_table_without_rows_has_the_same_types(mysql_shop, source):
    make_table_of_all_types(mysql_shop)

    assert mysql_shop.rows(**source) == (READ_TYPES, [])


HARD_TEXTS = [
    *("", "NULL", '"', '""', ',",', "a,b", "'", " x ", "é", "x" * 251, "y" * 400),
    *("line\nline", "\r\n", "\r", "\n", "\\", "\\N", "\t", "\0", "\x1a"),
]


def to_parquet(shop, source: str) -> dict:
    return shop.step("p", "filesystem.parquet_writer", sources=source, path="out.parquet")


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_texts_that_look_like_what_stands_between_them(mysql_shop, source):
    mysql_shop.execute(
        "CREATE TABLE t (id INT, a VARCHAR(500) CHARACTER SET utf8mb4, b VARCHAR(500) CHARACTER SET latin1,"
        " c TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, d VARBINARY(500), e VARCHAR(500) CHARACTER SET utf16)"
    )
    connection = mysql_shop.server.connect(mysql_shop.database_name)
    rows = [(place, *[text] * 2, text + "🦆", text.encode(), text) for place, text in enumerate(HARD_TEXTS)]
    connection.cursor().executemany("INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s)", rows)
    connection.close()

    mysql_shop.run_here(mysql_shop.extract(**source), to_parquet(mysql_shop, "t"))

    assert duckdb.sql(f"FROM '{mysql_shop.root}/out.parquet' ORDER BY id").fetchall() == rows


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_rows_with_nothing_in_them(mysql_shop, source):
    mysql_shop.execute("CREATE TABLE t (a INT, b TEXT)", "INSERT INTO t VALUES (NULL, NULL), (1, ''), (NULL, NULL)")

    assert mysql_shop.rows(**source)[1] == [(None, None), ("1", ""), (None, None)]


@pytest.mark.parametrize("mode", ["ORACLE", "EMPTY_STRING_IS_NULL"])
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_server_that_takes_empty_texts_and_null_for_the_same(mysql_shop, source, mode):
    mysql_shop.execute("CREATE TABLE t (a INT, b TEXT)", "INSERT INTO t VALUES (1, NULL), (2, ''), (NULL, 'x')")
    mysql_shop.execute(f"SET GLOBAL sql_mode = '{mode}'")
    try:
        assert mysql_shop.rows(**source)[1] == [("1", None), ("2", ""), (None, "x")]
    finally:
        mysql_shop.execute("SET GLOBAL sql_mode = DEFAULT")


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_values_of_any_length(mysql_shop, source):
    lengths = [0, 250, 251, 65_535, 65_536, 300_000, 16_777_204, 16_777_220]
    mysql_shop.execute("SET GLOBAL max_allowed_packet = 64000000")
    mysql_shop.execute(
        "CREATE TABLE t (n INT, m INT, x LONGTEXT)",
        *(f"INSERT INTO t VALUES ({length}, -{length}, repeat('x', {length}))" for length in lengths),
    )

    query = mysql_shop.sql("s", "t", "SELECT n, m, length(x) AS l, x = repeat('x', n) AS same FROM df ORDER BY n")
    mysql_shop.run_here(mysql_shop.extract(**source), query, to_parquet(mysql_shop, "s"))

    mysql_shop.execute("SET GLOBAL max_allowed_packet = 16777216")
    found = duckdb.sql(f"FROM '{mysql_shop.root}/out.parquet'").fetchall()
    assert found == [(length, -length, length, True) for length in lengths]


COMPUTED = {
    "1": ("INTEGER", "1"),
    "NULL": ('"NULL"', None),
    "1 = 1": ("INTEGER", "1"),
    "count(*)": ("BIGINT", "1"),
    "sum(n)": ("DECIMAL(38,0)", "9007199254740993"),
    "avg(n)": ("DECIMAL(23,4)", "9007199254740993.0000"),
    "CAST(1.25 AS DECIMAL(5,2))": ("DECIMAL(5,2)", "1.25"),
    "1 / 3": ("DECIMAL(5,4)", "0.3333"),
    "1e0 / 3": ("DOUBLE", "0.3333333333333333"),
    "CAST(18446744073709551615 AS UNSIGNED)": ("UBIGINT", "18446744073709551615"),
    "concat('a', 1)": ("VARCHAR", "a1"),
    "x'ff'": ("BLOB", "\\xFF"),
    "CURRENT_DATE = CURRENT_DATE()": ("INTEGER", "1"),
    "CAST('10:00' AS TIME)": ("INTERVAL", "10:00:00"),
}


@pytest.mark.parametrize("end", ["", " LIMIT 99"], ids=["plain", "not plain"])
def test_what_a_query_computes(mysql_shop, end):
    mysql_shop.execute("CREATE TABLE t (n BIGINT)", "INSERT INTO t VALUES (9007199254740993)")
    items = ", ".join(f"{expression} AS c{place}" for place, expression in enumerate(COMPUTED))

    types, rows = mysql_shop.rows(query=f"SELECT {items} FROM t{end}")

    assert dict(zip(COMPUTED, zip(types.values(), rows[0], strict=True), strict=True)) == COMPUTED


QUERIES = {
    "SELECT n, -n AS m FROM t WHERE n > 1": [(2, -2), (3, -3)],
    "SELECT n, -n AS m FROM t ORDER BY n DESC": [(3, -3), (2, -2), (1, -1)],
    "SELECT DISTINCT n > 0 AS a, 'x' AS b FROM t": [(1, "x")],
    "(SELECT n, 'a' AS b FROM t WHERE n = 1)": [(1, "a")],
    "SELECT n, 'a' AS b FROM t WHERE n = 1 UNION ALL SELECT 9, 'b'": [(1, "a"), (9, "b")],
    "WITH c AS (SELECT n FROM t WHERE n = 2) SELECT n, n AS m FROM c": [(2, 2)],
    "SELECT @n := 4 AS a, CAST(@n + 1 AS SIGNED) AS b": [(4, 5)],
    "SELECT a.n, b.n FROM t AS a JOIN t AS b USING (n) WHERE n = 3": [(3, 3)],
    "SELECT n, n AS N FROM t WHERE n = 1": [(1, 1)],
    "SELECT n + 1, '?' FROM t WHERE n = 1": [(2, "?")],
    "SELECT /*! SQL_NO_CACHE */ n, 'b' AS b FROM t WHERE n = 1": [(1, "b")],
    "SELECT sum(n) AS s, 1 AS one FROM t": [(6, 1)],
    "SELECT n AS `a``b`, '\\n' AS ` ` FROM t WHERE n = 1": [(1, "\n")],
    "SELECT n, (SELECT max(n) FROM t) AS m FROM t WHERE n = 1 -- end": [(1, 3)],
    "VALUES (1, 'a')": [(1, "a")],
}


def test_queries_mean_what_they_say(mysql_shop):
    mysql_shop.execute("CREATE TABLE t (n INT)", "INSERT INTO t VALUES (1), (2), (3)")
    steps = []
    for place, query in enumerate(QUERIES):
        columns = "SELECT COLUMNS(*)::VARCHAR FROM df"
        steps.append(mysql_shop.extract(f"q{place}", query=query))
        steps.append(mysql_shop.sql(f"s{place}", f"q{place}", columns))
        writer = "filesystem.parquet_writer"
        steps.append(mysql_shop.step(f"p{place}", writer, sources=f"s{place}", path=f"{place}.parquet"))

    run = mysql_shop.run_here(*steps)

    assert run.state == "succeeded", run.error()
    for place, (query, rows) in enumerate(QUERIES.items()):
        found = duckdb.sql(f"FROM '{mysql_shop.root}/{place}.parquet'").fetchall()
        assert (query, found) == (query, [tuple(str(value) for value in row) for row in rows])


def test_dates_that_are_none_are_null_with_a_warning(mysql_shop):
    mysql_shop.execute("CREATE TABLE t (d DATE, at DATETIME, good DATE)")
    connection = mysql_shop.server.connect(mysql_shop.database_name, sql_mode="ALLOW_INVALID_DATES")
    connection.cursor().execute(
        "INSERT INTO t VALUES ('0000-00-00', '2024-02-00 10:00:00', '2024-01-31'),"
        " ('2024-02-31', '2024-01-31 10:00:00', NULL)"
    )
    connection.close()

    run = mysql_shop.run_here(mysql_shop.extract(table="t"), mysql_shop.to_csv("c", "t", "out.csv"))

    assert mysql_shop.read("out.csv") == "d,at,good\n,,2024-01-31\n,2024-01-31 10:00:00,\n"
    assert mysql_shop.warnings(run) == [
        "The column d holds values that are no date of the calendar, such as 0000-00-00: they are read as NULL.",
        "The column at holds values that are no date of the calendar, such as 0000-00-00: they are read as NULL.",
    ]


def test_a_number_of_more_than_38_digits_stops_the_step(mysql_shop):
    mysql_shop.execute("CREATE TABLE t (x DECIMAL(65,2))", f"INSERT INTO t VALUES ({'9' * 63})")

    assert mysql_shop.refused(table="t") == (
        "A value of the column x has more than the 38 digits that numbers can have here."
    )
    assert mysql_shop.rows(query="SELECT CAST(x AS CHAR) AS x FROM t")[1] == [("9" * 63 + ".00",)]


def test_a_float_of_a_query_is_told_to_be_short(mysql_shop):
    mysql_shop.execute("CREATE TABLE t (x FLOAT)", "INSERT INTO t VALUES (16777215)")
    query = mysql_shop.extract(query="SELECT x FROM t")

    run = mysql_shop.run_here(query, mysql_shop.to_csv("c", "t", "out.csv"))

    assert mysql_shop.warnings(run) == [
        "MySQL gives the column x of the query, a FLOAT, with six digits only. "
        "CAST(... AS DOUBLE) in the query gives all."
    ]


def test_the_zone_of_the_server_does_not_change_points_in_time(mysql_shop):
    mysql_shop.execute("CREATE TABLE t (at TIMESTAMP)", "INSERT INTO t VALUES (FROM_UNIXTIME(1700000000))")
    mysql_shop.execute("SET GLOBAL time_zone = '+05:00'")
    try:
        assert mysql_shop.rows(table="t")[1] == [("2023-11-14 22:13:20",)]
    finally:
        mysql_shop.execute("SET GLOBAL time_zone = 'SYSTEM'")
