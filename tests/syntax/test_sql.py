"""The SQL lexer: what every piece of a text is, whatever the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.syntax.sql import tokenize_sql


def kinds(sql: str, dialect: str = "duckdb") -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in tokenize_sql(sql, dialect=dialect)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a1, t.b", ["word:SELECT", "word:a1", "operator:,", "word:t", "operator:.", "word:b"]),
        ("'it''s'", ["string:'it''s'"]),
        ("'a' 'b'", ["string:'a'", "string:'b'"]),
        ("E'it\\'s'", ["string:E'it\\'s'"]),
        ("'c:\\'", ["string:'c:\\'"]),
        ('"a ""b"""', ['quoted_identifier:"a ""b"""']),
        ("`a b`", ["quoted_identifier:`a b`"]),
        ("$$ it's $$", ["dollar_string:$$ it's $$"]),
        ("$x$ $$ $x$;", ["dollar_string:$x$ $$ $x$", "semicolon:;"]),
        ("a -- b ' c\nd", ["word:a", "comment:-- b ' c", "word:d"]),
        ("a /* b /* c */ d */ e", ["word:a", "comment:/* b /* c */ d */", "word:e"]),
        (
            "1 2.5 .5 1e3 1_000 0xFF",
            ["number:1", "number:2.5", "number:.5", "number:1e3", "number:1_000", "number:0xFF"],
        ),
        ("a::int <= b || c", ["word:a", "operator:::", "word:int", "operator:<=", "word:b", "operator:||", "word:c"]),
        ("x->>'$.a'", ["word:x", "operator:->>", "string:'$.a'"]),
        ("${params.x}", ["placeholder:${params.x}"]),
        ("t_${params.x}_y", ["word:t_", "placeholder:${params.x}", "word:_y"]),
        ("$1 ?", ["word:$1", "operator:?"]),
        ("größe = 'ü'", ["word:größe", "operator:=", "string:'ü'"]),
    ],
)
def test_tokens(sql: str, expected: list[str]) -> None:
    assert [f"{kind}:{text}" for kind, text in kinds(sql)] == expected


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("'abc", "string"),
        ("'abc''", "string"),
        ('"abc', "quoted_identifier"),
        ("$$ abc", "dollar_string"),
        ("/* a /* b */", "comment"),
    ],
)
def test_what_is_not_closed_is_an_error_to_the_end(sql: str, kind: str) -> None:
    first, error = tokenize_sql("SELECT " + sql)

    assert (first.kind, error.kind, error.text, error.unclosed) == ("word", "error", sql, kind)


def test_a_placeholder_inside_a_string_is_part_of_the_string() -> None:
    sql = "SELECT '${params.a} and ${params.b}' -- ${params.c}"
    string, comment = tokenize_sql(sql)[1:]

    assert (string.kind, comment.kind) == ("string", "comment")
    assert [sql[span.start : span.end] for span in (*string.placeholders, *comment.placeholders)] == [
        "${params.a}",
        "${params.b}",
        "${params.c}",
    ]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (r"'it\'s'", [("string", r"'it\'s'")]),
        ('"text"', [("string", '"text"')]),
        ("a # b", [("word", "a"), ("comment", "# b")]),
        ("/* a /* b */ c", [("comment", "/* a /* b */"), ("word", "c")]),
    ],
)
def test_mysql_has_rules_of_its_own(sql: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(sql, "mysql") == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("[my orders].id", [("quoted_identifier", "[my orders]"), ("operator", "."), ("word", "id")]),
        ("[a[b]", [("quoted_identifier", "[a[b]")]),
        ("[a", [("error", "[a")]),
    ],
)
def test_sqlite_has_names_in_brackets(sql: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(sql, "sqlite") == expected
    assert tokenize_sql("[my orders]", dialect="sqlite")[0].name == "my orders"


SQL_PIECES = st.sampled_from(
    [
        "'",
        '"',
        "`",
        "$$",
        "$a$",
        "--",
        "/*",
        "*/",
        "\n",
        " ",
        "${",
        "}",
        "${params.x}",
        "\\",
        "E'",
        ";",
        "1.",
        "x",
        "é",
        "#",
        "\0",
        "[",
        "]",
    ]
)


@given(st.lists(SQL_PIECES).map("".join) | st.text(), st.sampled_from(["duckdb", "mysql", "postgres", "sqlite"]))
def test_any_text_is_covered_by_its_tokens_and_white_space(sql: str, dialect: str) -> None:
    at = 0
    for token in tokenize_sql(sql, dialect=dialect):
        assert sql[at : token.span.start].strip() == ""
        assert token.text == sql[token.span.start : token.span.end] != ""
        at = token.span.end
    assert sql[at:].strip() == ""


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("orders", "orders"),
        ('"my orders"', "my orders"),
        ('"a ""b"" c"', 'a "b" c'),
        ("`a``b`", "a`b"),
        ('U&"x"', "x"),
        ("'text'", None),
        ("5", None),
        ('"df_${params.x}"', None),
    ],
)
def test_what_a_token_names(sql: str, name: str | None) -> None:
    assert tokenize_sql(sql)[0].name == name
