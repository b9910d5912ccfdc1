"""Every type of PostgreSQL, read by value: what DuckDB calls it, and how it writes it."""

from __future__ import annotations

import pytest

ZONED = "TIMESTAMP WITH TIME ZONE"
OWN = (
    "CREATE TYPE mood AS ENUM ('ok', 'it''s')",
    "CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE >= 0)",
    "CREATE DOMAIN feeling AS mood",
    "CREATE TYPE pair AS (a int, b text)",
)

# Declared type: (value as SQL, DuckDB's type, DuckDB's text of it).
TYPES = {
    "boolean": ("true", "BOOLEAN", "true"),
    "smallint": ("-32768", "SMALLINT", "-32768"),
    "integer": ("-2147483648", "INTEGER", "-2147483648"),
    "bigint": ("-9223372036854775808", "BIGINT", "-9223372036854775808"),
    "oid": ("4294967295", "UINTEGER", "4294967295"),
    "real": ("0.1", "FLOAT", "0.1"),
    "double precision": ("'-Infinity'", "DOUBLE", "-inf"),
    "float8": ("0.1234567890123456", "DOUBLE", "0.1234567890123456"),
    "numeric(12,4)": ("-12345678.9", "DECIMAL(12,4)", "-12345678.9000"),
    "numeric(3,5)": ("0.00123", "DECIMAL(5,5)", ".00123"),
    "numeric(3,-2)": ("12345", "DECIMAL(5,0)", "12300"),
    "numeric(50,2)": ("123456789012345678901234567890.12", "DECIMAL(38,2)", "123456789012345678901234567890.12"),
    "money": ("12.5", "VARCHAR", "$12.50"),
    "date": ("'2024-02-29'", "DATE", "2024-02-29"),
    "date -- BC": ("'0044-03-15 BC'", "DATE", "0044-03-15 (BC)"),
    "date -- infinite": ("'-infinity'", "DATE", "-infinity"),
    "time": ("'23:59:59.000001'", "TIME", "23:59:59.000001"),
    "time(0)": ("'24:00:00'", "TIME", "24:00:00"),
    "time with time zone": ("'10:00:00+02'", "VARCHAR", "10:00:00+02"),
    "timestamp": ("'0999-01-31 23:59:59.000001'", "TIMESTAMP", "0999-01-31 23:59:59.000001"),
    "timestamp(0)": ("'2024-01-31 23:59:59.4'", "TIMESTAMP", "2024-01-31 23:59:59"),
    "timestamp -- late": ("'20240-01-31 10:00:00.5'", "TIMESTAMP", "20240-01-31 10:00:00.5"),
    "timestamptz": ("'2024-01-31 10:00:00.5+02'", ZONED, "2024-01-31 08:00:00.5+00"),
    "timestamptz -- infinite": ("'infinity'", ZONED, "infinity"),
    "timestamptz -- BC": ("'0001-12-31 23:00:00+00 BC'", ZONED, "0001-12-31 (BC) 23:00:00+00"),
    "interval": ("'1 year -2 mons 3 days -04:05:06.7'", "INTERVAL", "10 months 3 days -04:05:06.7"),
    "interval year to month": ("'-1-6'", "INTERVAL", "-1 year -6 months"),
    "text": ("E'a,\"b\"\\n\\\\c 🦆'", "VARCHAR", 'a,"b"\n\\c 🦆'),
    "varchar(9)": ("''", "VARCHAR", ""),
    "char(3)": ("'a'", "VARCHAR", "a  "),
    "name": ("'x'", "VARCHAR", "x"),
    "bytea": ("'\\x00ff'", "BLOB", "\\x00\\xFF"),
    "uuid": ("'123e4567-e89b-12d3-a456-426655440000'", "VARCHAR", "123e4567-e89b-12d3-a456-426655440000"),
    "json": ("""'{"a":  [1, null]}'""", "VARCHAR", '{"a":  [1, null]}'),
    "jsonb": ("""'{"a":  [1, null]}'""", "VARCHAR", '{"a": [1, null]}'),
    "xml": ("'<a/>'", "VARCHAR", "<a/>"),
    "inet": ("'::1'", "VARCHAR", "::1"),
    "bit(4)": ("B'0101'", "VARCHAR", "0101"),
    "int4range": ("'[1,5]'", "VARCHAR", "[1,6)"),
    "tstzrange": ("'[2024-01-01 00:00+01,)'", "VARCHAR", '["2023-12-31 23:00:00+00",)'),
    "point": ("'(1,2)'", "VARCHAR", "(1,2)"),
    "tsvector": ("'a b'", "VARCHAR", "'a' 'b'"),
    "mood": ("'it''s'", "VARCHAR", "it's"),
    "price": ("12.5", "DECIMAL(10,2)", "12.50"),
    "feeling": ("'ok'", "VARCHAR", "ok"),
    "pair": ("(1, 'x y')", "VARCHAR", '(1,"x y")'),
    "integer[]": ("'{1,NULL,3}'", "INTEGER[]", "[1, NULL, 3]"),
    "text[]": ("ARRAY['a,b', NULL, '', 'NULL', '{}']", "VARCHAR[]", "['a,b', NULL, '', 'NULL', '{}']"),
    "text[] -- quoted": ("""ARRAY['q"\\']""", "VARCHAR[]", """['q"\\\\']"""),
    "numeric(6,2)[]": ("'{1.5,NULL}'", "DECIMAL(6,2)[]", "[1.50, NULL]"),
    "timestamptz[]": ("'{2024-01-31 10:00:00+02}'", f"{ZONED}[]", "['2024-01-31 08:00:00+00']"),
    "boolean[]": ("'{}'", "BOOLEAN[]", "[]"),
    "date[]": ("'[5:6]={2024-02-29,infinity}'", "DATE[]", "[2024-02-29, infinity]"),
    "mood[]": ("'{ok}'", "VARCHAR[]", "[ok]"),
    "price[]": ("'{1.5}'", "DECIMAL(10,2)[]", "[1.50]"),
}  # fmt: skip


def declared(case):
    return case.partition(" --")[0]


@pytest.mark.parametrize("case", TYPES)
def test_a_value_of_each_type_and_null(postgres_shop, case):
    value, kind, text = TYPES[case]
    postgres_shop.execute(*OWN, f"CREATE TABLE t (x {declared(case)})", f"INSERT INTO t VALUES ({value}), (NULL)")

    assert postgres_shop.rows(table="t") == ({"x": kind}, [(text,), (None,)])


@pytest.mark.parametrize("case", TYPES)
def test_a_table_without_rows_has_the_same_types(postgres_shop, case):
    postgres_shop.execute(*OWN, f"CREATE TABLE t (x {declared(case)})")

    assert postgres_shop.rows(table="t") == ({"x": TYPES[case][1]}, [])


# Values of a column `numeric`: DuckDB's type, and its texts.
NUMBERS = {
    "with fractions": (["1.5", "-12345678901234.12345"], "DECIMAL(38,5)", ["1.50000", "-12345678901234.12345"]),
    "whole": (["9007199254740993"], "DECIMAL(38,0)", ["9007199254740993"]),
    "NaN": (["'NaN'", "0.5"], "DOUBLE", ["nan", "0.5"]),
    "infinite": (["'-Infinity'"], "DOUBLE", ["-inf"]),
    "too long": (["1e40"], "DOUBLE", ["1e+40"]),
    "NULL": (["NULL"], '"NULL"', [None]),
    "none": ([], '"NULL"', []),
}  # fmt: skip


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_of_any_length_have_the_digits_that_they_need(postgres_shop, case):
    values, kind, texts = NUMBERS[case]
    postgres_shop.execute("CREATE TABLE t (x numeric)", *(f"INSERT INTO t VALUES ({value})" for value in values))

    assert postgres_shop.rows(table="t") == ({"x": kind}, [(text,) for text in texts])


COMPUTED = {
    "count(*)": ("BIGINT", "1"),
    "sum(n)": ("DECIMAL(38,0)", "9007199254740993"),
    "avg(n)::numeric(18,1)": ("DECIMAL(18,1)", "9007199254740993.0"),
    "1": ("INTEGER", "1"),
    "NULL": ("VARCHAR", None),
    "'a' || 1": ("VARCHAR", "a1"),
    "1 = 1": ("BOOLEAN", "true"),
    "array_agg(n)": ("BIGINT[]", "[9007199254740993]"),
    "'%s'": ("VARCHAR", "%s"),
}


@pytest.mark.parametrize("expression", COMPUTED)
def test_what_a_query_computes(postgres_shop, expression):
    kind, text = COMPUTED[expression]
    postgres_shop.execute("CREATE TABLE t (n bigint)", "INSERT INTO t VALUES (9007199254740993)")

    assert postgres_shop.rows(query=f"SELECT {expression} AS x FROM t") == ({"x": kind}, [(text,)])


REFUSED = {
    "NaN among decimals": (
        "SELECT 'NaN'::numeric(5,2) AS x",
        "The column x holds NaN, infinity or a number of more than 38 digits, which a decimal number cannot be.",
    ),
    "two dimensions": (
        "SELECT ARRAY[[1,2],[3,4]] AS x",
        "The column x holds an array of more than one dimension, which is not supported.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_held_stops_the_step(postgres_shop, case):
    query, message = REFUSED[case]

    assert postgres_shop.refused(query=query) == message


def test_names_that_are_there_twice_are_told_apart(postgres_shop):
    assert postgres_shop.rows(query="SELECT 1 AS id, 2 AS id") == ({"id": "INTEGER", "id_1": "INTEGER"}, [("1", "2")])


def test_rows_with_nothing_in_them(postgres_shop):
    assert postgres_shop.rows(query="SELECT NULL::int AS x FROM generate_series(1, 3)")[1] == [(None,)] * 3
