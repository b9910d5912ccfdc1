"""Queries as they are read while somebody writes them. The cursor is ``<|>``."""

from __future__ import annotations

import random

import pytest

from osiris.language.catalog import Column, Columns
from osiris.language.sql_scope.columns import ColumnReader
from osiris.language.sql_scope.place import SqlPlace, name_at, place_at
from osiris.language.sql_scope.read import read_script
from osiris.syntax.sql import tokenize_sql


def at(marked: str, dialect: str = "duckdb") -> SqlPlace:
    before, after = marked.split("<|>")
    return place_at(before + after, len(before), dialect)


def scopes(place: SqlPlace) -> str:
    return " / ".join(", ".join(source.called for source in scope) for scope in place.scopes)


@pytest.mark.parametrize(
    ("query", "expects", "clause", "tables"),
    [
        ("<|>", "statement", "start", ""),
        ("SEL<|>", "statement", "start", ""),
        ("SELECT <|>", "operand", "select", ""),
        ("SELECT <|> FROM a", "operand", "select", "a"),
        ("SELECT x <|> FROM a", "operator", "select", "a"),
        ("SELECT x, <|> FROM a AS b", "operand", "select", "b"),
        ("SELECT x AS <|> FROM a", "nothing", "select", "a"),
        ("SELECT f(<|>) FROM a", "operand", "select", "a"),
        ("SELECT f(<|> FROM a", "operand", "select", "a"),
        ("SELECT f(x <|> FROM a WHERE y", "operator", "select", "a"),
        ("SELECT x::<|> FROM a", "type", "select", "a"),
        ("SELECT CAST(x AS <|>) FROM a", "type", "select", "a"),
        ("SELECT * <|> FROM a", "operator", "select", "a"),
        ("SELECT x * <|> FROM a", "operand", "select", "a"),
        ("SELECT extract(year FROM <|>) FROM a", "operand", "select", "a"),
        ("SELECT x FROM <|>", "table", "from", ""),
        ("SELECT x FROM a<|>", "table", "from", ""),
        ("SELECT x FROM a <|>", "operator", "from", "a"),
        ("SELECT x FROM a, <|>", "table", "from", "a"),
        ("SELECT x FROM a, b <|>", "operator", "from", "a, b"),
        ("SELECT x FROM a JOIN <|>", "table", "from", "a"),
        ("SELECT x FROM a JOIN <|> ON 1", "table", "from", "a"),
        ("SELECT x FROM a JOIN b ON <|>", "operand", "on", "a, b"),
        ("SELECT x FROM a JOIN b ON a.x = <|> JOIN c ON 1", "operand", "on", "a, b, c"),
        ("SELECT x FROM a JOIN b ON a.x = b.y <|>", "operator", "on", "a, b"),
        ("SELECT x FROM a JOIN b USING (<|>", "names", "using", "a, b"),
        ("SELECT x FROM a JOIN b USING (x) <|>", "operator", "using", "a, b"),
        ("SELECT x FROM (a JOIN <|>)", "table", "from", "a"),
        ("SELECT x FROM (a JOIN b ON 1) WHERE <|>", "operand", "where", "a, b"),
        ("SELECT x FROM a WHERE <|>", "operand", "where", "a"),
        ("SELECT x FROM a WHERE y IN (1, <|>)", "operand", "where", "a"),
        ("SELECT x FROM a WHERE y = 'it''s' <|>", "operator", "where", "a"),
        ("SELECT x FROM a WHERE y IS NOT DISTINCT FROM <|>", "operand", "where", "a"),
        ("SELECT x FROM a GROUP BY <|>", "operand", "group", "a"),
        ("SELECT x FROM a GROUP BY x HAVING <|>", "operand", "having", "a"),
        ("SELECT x FROM a ORDER BY x <|>", "operator", "order", "a"),
        ("SELECT x FROM a QUALIFY <|>", "operand", "having", "a"),
        ("SELECT x FROM a LIMIT <|>", "nothing", "limit", "a"),
        ("SELECT x FROM a UNION <|>", "statement", "start", "a"),
        ("SELECT x FROM a UNION ALL SELECT <|> FROM b", "operand", "select", "b"),
        ("SELECT <|> FROM a UNION ALL SELECT y FROM b", "operand", "select", "a"),
        ("SELECT x FROM a; SELECT <|> FROM b", "operand", "select", "b"),
        ("FROM a <|>", "operator", "from", "a"),
        ("FROM a SELECT <|>", "operand", "select", "a"),
        ("SELECT x FROM a WHERE EXISTS (SELECT 1 FROM b WHERE <|>)", "operand", "where", "b / a"),
        ("SELECT (SELECT <|> FROM b) FROM a", "operand", "select", "b / a"),
        ("SELECT x FROM a, (SELECT <|> FROM b) c", "operand", "select", "b"),
        ("SELECT x FROM a, LATERAL (SELECT <|> FROM b) c", "operand", "select", "b / a"),
        ("SELECT x FROM (SELECT y FROM b) <|>", "operator", "from", ""),
        ("SELECT x FROM (SELECT y FROM b) c WHERE <|>", "operand", "where", "c"),
        ("WITH a AS (SELECT <|> FROM b) SELECT 1", "operand", "select", "b"),
        ("WITH a AS (SELECT x FROM b SELECT <|> FROM a", "operand", "select", "a"),
        ("WITH a AS (SELECT x FROM b) <|>", "statement", "with", ""),
        ("SELECT x FROM t1 'a <|> b'", "nothing", "from", "t1"),
        ("SELECT x FROM a -- <|>", "nothing", "from", "a"),
        ("SELECT sum(x) OVER (PARTITION BY <|> FROM a", "operand", "select", "a"),
        ("SELECT sum(x) FILTER (WHERE <|>) FROM a", "operand", "select", "a"),
        ("SELECT [x, <|>] FROM a", "operand", "select", "a"),
        ("SELECT x FROM read_csv('f') r WHERE <|>", "operand", "where", "r"),
        ("SELECT x FROM a NATURAL JOIN b WHERE <|>", "operand", "where", "a, b"),
        ("SELECT x FROM a LEFT OUTER JOIN b ON 1 CROSS JOIN c WHERE <|>", "operand", "where", "a, b, c"),
    ],
)
def test_what_could_be_typed_and_the_tables_in_scope(query: str, expects: str, clause: str, tables: str) -> None:
    place = at(query)

    assert (place.expects.value, place.clause, scopes(place)) == (expects, clause, tables)


@pytest.mark.parametrize(
    ("query", "qualifiers", "prefix", "replaced"),
    [
        ("SELECT a.<|> FROM t a", ("a",), "", ""),
        ("SELECT a.na<|>me FROM t a", ("a",), "na", "name"),
        ("SELECT s.a.<|> FROM s.a", ("s", "a"), "", ""),
        ('SELECT "a b".<|>\nFROM t "a b"', ("a b",), "", ""),
        ('SELECT a."na<|> FROM t a', ("a",), "na", "na"),
        ('SELECT a."na<|>" FROM t a', ("a",), "na", 'na"'),
        ("SELECT na<|> FROM t", (), "na", "na"),
        ("SELECT 1 FROM s.<|> WHERE x", ("s",), "", ""),
        ("SELECT a.<|>\nFROM t a", ("a",), "", ""),
    ],
)
def test_names_in_front_of_the_cursor(query: str, qualifiers: tuple[str, ...], prefix: str, replaced: str) -> None:
    place = at(query)
    text = query.replace("<|>", "")

    assert (place.qualifiers, place.prefix) == (qualifiers, prefix)
    assert text[place.span.start : place.span.end] == replaced


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("WITH a AS (SELECT 1), b AS (SELECT * FROM <|>) SELECT 1", ["a"]),
        ("WITH a AS (SELECT 1), b AS (SELECT 2) SELECT * FROM <|>", ["b", "a"]),
        ("WITH RECURSIVE a AS (SELECT 1 UNION SELECT * FROM <|>) SELECT 1", ["a"]),
        ("WITH a AS (SELECT 1) SELECT * FROM (WITH b AS (SELECT 2) SELECT * FROM <|>) c", ["b", "a"]),
        ("SELECT * FROM <|>", []),
    ],
)
def test_named_queries_in_scope(query: str, expected: list[str]) -> None:
    assert [cte.name for cte in at(query).ctes] == expected


class Shop:
    """Two tables, ``t`` with a and b, ``u`` with b and c."""

    def columns_of(self, name: str, schema: str | None) -> Columns | None:
        names = {"t": "ab", "u": "bc"}.get(name.lower())
        return tuple(Column(letter, "int") for letter in names) if names else None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT * FROM t", ["a", "b"]),
        ("SELECT a AS x, b y, a + b AS z FROM t", ["x", "y", "z"]),
        ('SELECT t.a, t."b" FROM t', ["a", "b"]),
        ("SELECT t.*, u.c FROM t JOIN u ON 1", ["a", "b", "c"]),
        ("SELECT * FROM t JOIN u USING (b)", ["a", "b", "c"]),
        ("SELECT DISTINCT a FROM t", ["a"]),
        ("SELECT DISTINCT ON (a) b FROM t", ["b"]),
        ("SELECT * EXCLUDE (a) FROM t", ["b"]),
        ("SELECT CASE WHEN a THEN 1 END AS k FROM t", ["k"]),
        ("SELECT CASE WHEN a THEN 1 END k FROM t", ["k"]),
        ("SELECT k: a FROM t", ["k"]),
        ("FROM t", ["a", "b"]),
        ("FROM t SELECT b", ["b"]),
        ("SELECT * FROM (SELECT a AS x FROM t) s", ["x"]),
        ("SELECT * FROM (SELECT a, b FROM t) s (x)", ["x", "b"]),
        ("WITH s AS (SELECT * FROM t) SELECT * FROM s", ["a", "b"]),
        ("WITH s (x) AS (SELECT a FROM t) SELECT * FROM s", ["x"]),
        ("SELECT a FROM t UNION SELECT c FROM u", ["a"]),
        ("(SELECT a FROM t) UNION (SELECT c FROM u)", ["a"]),
        ("SELECT count(*) FROM t", None),
        ("SELECT a, count(*) FROM t", None),
        ("SELECT * FROM unknown", None),
        ("SELECT * REPLACE (1 AS a) FROM t", None),
        ("SELECT columns('a') FROM t", None),
        ("SELECT * FROM t NATURAL JOIN u", None),
        ("WITH RECURSIVE s AS (SELECT * FROM s) SELECT * FROM s", None),
        ("VALUES (1)", None),
        ("", None),
    ],
)
def test_the_columns_that_a_query_gives(query: str, expected: list[str] | None) -> None:
    script = read_script(tokenize_sql(query), len(query))

    found = ColumnReader(Shop()).of_query(script.statements[0], whole=True)

    assert (None if found is None else [column.name for column in found]) == expected


def test_only_plain_columns_keep_their_type() -> None:
    query = "SELECT a, b AS c, a + 1 AS d FROM t"
    script = read_script(tokenize_sql(query), len(query))

    found = ColumnReader(Shop()).of_query(script.statements[0])

    assert found is not None
    assert [(column.name, column.type) for column in found] == [("a", "int"), ("c", "int"), ("d", "")]


TEXT = """SELECT FROM WHERE JOIN ON USING ( ) ( ) , . ; * WITH a AS b t u UNION ALL GROUP BY ORDER LIMIT LATERAL [ ] { }
:: = 'x' "y" `z` 'open "open $1 ${params.x} -- /* 1.5 NATURAL RECURSIVE VALUES OVER FILTER DISTINCT EXCLUDE :"""
WORDS = [*TEXT.split(), "\n"]


@pytest.mark.parametrize("dialect", ["duckdb", "mysql", "postgres", "sqlite"])
def test_any_words_in_any_order_are_read(dialect: str) -> None:
    chance = random.Random(f"any words {dialect}")
    for _ in range(400):
        text = " ".join(chance.choice(WORDS) for _ in range(chance.randrange(25)))
        offset = chance.randrange(len(text) + 1)

        place = place_at(text, offset, dialect)
        name_at(text, offset, dialect)
        reader = ColumnReader(Shop())
        for query in place.script.queries():
            reader.of_query(query)

        assert place.span.start <= offset <= place.span.end
        assert text[place.span.start : offset] == place.prefix
